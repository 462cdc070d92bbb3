#!/usr/bin/env bash
# Run once by the postgres image, on an empty data volume: the role of the service owns its database and nothing else.
set -euo pipefail
psql --set=ON_ERROR_STOP=1 --no-psqlrc --username="$POSTGRES_USER" --dbname=postgres \
  --set=password="$(cat "${SIGNUPGUARD_PASSWORD_FILE:-/run/secrets/signupguard_password}")" <<'SQL'
CREATE ROLE signupguard LOGIN PASSWORD :'password';
CREATE DATABASE signupguard OWNER signupguard;
REVOKE CONNECT ON DATABASE signupguard FROM PUBLIC;
SQL
