# What the real image's entry point does with POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD and /docker-entrypoint-initdb.d, in short.
set -eu
case ${1:--} in
    -*) ;;
    *) exec "$@" ;;
esac
PGDATA=/var/lib/postgresql/data
export POSTGRES_USER="${POSTGRES_USER:-postgres}"
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown postgres:postgres "$PGDATA"
    chmod 700 "$PGDATA"
    exec setpriv --reuid postgres --regid postgres --clear-groups sh "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    umask 077
    printf '%s\n' "$POSTGRES_PASSWORD" >/tmp/password
    initdb --pgdata "$PGDATA" --username "$POSTGRES_USER" --pwfile /tmp/password --auth-local trust --auth-host scram-sha-256
    rm /tmp/password
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    pg_ctl -D "$PGDATA" -w -o "-c listen_addresses='' -k /tmp" start
    createdb -h /tmp -U "$POSTGRES_USER" "$POSTGRES_DB"
    for script in /docker-entrypoint-initdb.d/*.sh; do
        [ ! -x "$script" ] || PGHOST=/tmp "$script"
    done
    pg_ctl -D "$PGDATA" -w stop
fi
exec postgres -D "$PGDATA" -c "listen_addresses=*" -k /tmp "$@"
