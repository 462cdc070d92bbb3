#!/usr/bin/env sh
# Makes what docker-compose.yml mounts from ./secrets, once. Files that are there stay as they are.
# Keep the folder with your backups: without facts_key stored signups can't be read, without link_key new ones no longer link to them.
set -eu
cd "$(dirname "$0")/../.."
umask 077
mkdir -p secrets
# Closed to other users by its mode; the files in it are readable, because the containers read them as users of their own.
chmod 700 secrets

write() {
  if [ -s "secrets/$1" ]; then cat > /dev/null; echo "kept    secrets/$1"; return; fi
  cat > "secrets/$1.new"
  chmod 444 "secrets/$1.new"
  mv "secrets/$1.new" "secrets/$1"
  echo "created secrets/$1"
}

openssl rand -hex 32 | tr -d '\n' | write postgres_password
openssl rand -hex 32 | tr -d '\n' | write signupguard_password
openssl rand -hex 32 | tr -d '\n' | write signupguard_owner_password
printf '*:*:*:*:%s\n' "$(cat secrets/signupguard_password)" | write pgpass
printf '*:*:*:*:%s\n' "$(cat secrets/signupguard_owner_password)" | write pgpass_owner
openssl rand -base64 32 | write link_key
openssl rand -base64 32 | write facts_key
