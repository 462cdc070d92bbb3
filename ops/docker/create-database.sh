#!/usr/bin/env bash
# Run once by the postgres image, on an empty data volume. Three roles:
#   signupguard_owner    owns the database; migrations log in as it, nobody else
#   signupguard_service  reads and writes rows, changes nothing of the audit; has no log-in
#   signupguard          the service's log-in: a member of signupguard_service, owns nothing
set -euo pipefail
psql --set=ON_ERROR_STOP=1 --no-psqlrc --username="$POSTGRES_USER" --dbname=postgres \
  --set=password="$(cat "${SIGNUPGUARD_PASSWORD_FILE:-/run/secrets/signupguard_password}")" \
  --set=owner_password="$(cat "${SIGNUPGUARD_OWNER_PASSWORD_FILE:-/run/secrets/signupguard_owner_password}")" <<'SQL'
CREATE ROLE signupguard_service NOLOGIN;
CREATE ROLE signupguard_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE signupguard LOGIN PASSWORD :'password' IN ROLE signupguard_service;
CREATE DATABASE signupguard OWNER signupguard_owner;
REVOKE CONNECT ON DATABASE signupguard FROM PUBLIC;
GRANT CONNECT ON DATABASE signupguard TO signupguard;
SQL
