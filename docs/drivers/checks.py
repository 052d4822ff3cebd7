"""What a Python driver on libpq (psycopg 3) sees, one line a check; the same lines are expected over any way to the same server.

checks.py PORT DATABASE CA         the checks
checks.py PORT DATABASE CA NAME    ordinary work until the input ends, then what came of it
"""

import logging
import re
import sys
import threading
import time

import psycopg

CONNECT = f"host=127.0.0.1 port={sys.argv[1]} dbname={sys.argv[2]}"
logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # of what a failed pipeline leaves
VERIFIED = {"sslmode": "verify-full", "sslrootcert": sys.argv[3]}


def connect(user="drivers", password="drivers", **more):
    return psycopg.connect(CONNECT, **{"user": user, "password": password, "autocommit": True, "sslmode": "disable", **more})


def told(name, work):
    try:
        print(f"{name}: {work()}")
    except psycopg.OperationalError as error:
        words = re.sub(".*(FATAL|ERROR|SSL|failed: )", r"\1", str(error), flags=re.S)
        print(f"{name}: refused, {words}")
    except psycopg.Error as error:
        position = error.diag.statement_position
        print(f"{name}: {error.sqlstate} {error.diag.message_primary} {position or ''}".rstrip())


def user(**more):
    with connect(**more) as at:
        used = at.execute("SELECT current_user, repeat('x', 200000)").fetchone()
        return used[0], len(used[1]), at.pgconn.used_password, at.pgconn.ssl_in_use


def prepared():
    with connect() as at:
        return [at.execute("SELECT %s::int * 2", (i,), prepare=True).fetchone()[0] for i in range(8)]


def binary():
    with connect() as at:
        return at.cursor(binary=True).execute("SELECT 1::int, 'é'::text, '{1,2}'::int[], now() IS NOT NULL").fetchone()


def pipeline():
    with connect() as at:
        with at.pipeline():
            cursors = [at.execute("SELECT %s::text", (str(i),)) for i in range(50)]
        failed = None
        try:
            with at.pipeline():
                # Which of the two calls raises it depends on how fast the answer is.
                at.execute("SELECT 1 / 0")
                at.execute("SELECT 2")
        except psycopg.Error as error:
            failed = error.sqlstate
        return "".join(c.fetchone()[0] for c in cursors), failed, at.execute("SELECT 3").fetchone()


def copy():
    with connect() as at, at.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE copied (id int, note text)")
        with cursor.copy("COPY copied FROM STDIN") as into:
            for i in range(10_000):
                into.write_row((i, "n" * (i % 50)))
        with cursor.copy("COPY copied TO STDOUT (FORMAT binary)") as out:
            size = sum(len(block) for block in out)
        try:
            with cursor.copy("COPY copied FROM STDIN") as into:
                into.write(b"not a number\n")
        except psycopg.Error as error:
            return size, error.sqlstate, cursor.execute("SELECT count(*) FROM copied").fetchone()
        return "accepted"


def cancel(**more):
    sleep = "SELECT pg_sleep(60)"
    with connect(**more) as at, connect() as other:
        def strike():
            while not other.execute(
                "SELECT true FROM pg_stat_activity WHERE query = %s AND state = 'active'", (sleep,)
            ).fetchone():
                time.sleep(0.01)
            at.cancel_safe()

        striker = threading.Thread(target=strike)
        striker.start()
        try:
            at.execute(sleep)
        except psycopg.errors.QueryCanceled as error:
            striker.join()
            return error.sqlstate, at.execute("SELECT 1").fetchone()
        return "went on"


def notify():
    with connect() as at, connect() as other:
        at.execute("LISTEN drivers")
        other.execute("NOTIFY drivers, 'heard'")
        return [n.payload for n in at.notifies(timeout=10, stop_after=1)]


def cursor():
    with connect() as at, at.transaction():
        with at.cursor(name="big") as big:
            big.execute("SELECT generate_series(1, 1000)")
            return sum(row[0] for row in big)


def checks():
    told("wrong password", lambda: user(password="wrong"))
    told("no such user", lambda: user(user="nobody_here"))
    told("no such database", lambda: user(dbname="nowhere"))
    told("SCRAM", user)
    told("md5", lambda: user(user="old", password="elderly"))
    told("md5, wrong password", lambda: user(user="old", password="young"))
    told("TLS, verified", lambda: user(**VERIFIED))
    told("TLS, negotiated directly", lambda: user(sslnegotiation="direct", **VERIFIED))
    told("TLS, another authority", lambda: user(sslmode="verify-full", sslrootcert="system"))
    told("TLS, wrong password", lambda: user(password="wrong", **VERIFIED))
    told("channel binding", lambda: user(channel_binding="require", **VERIFIED))
    told("channel binding without TLS", lambda: user(channel_binding="require"))
    told("md5 over TLS", lambda: user(user="old", password="elderly", **VERIFIED))
    told("prepared", prepared)
    told("binary", binary)
    told("pipeline", pipeline)
    told("copy", copy)
    told("cancel", cancel)
    told("cancel over TLS", lambda: cancel(**VERIFIED))
    told("notify", notify)
    told("cursor", cursor)
    told("error", lambda: connect().execute("SELECT no_such_column FROM pg_class"))
    told("transaction", lambda: connect().execute("BEGIN; SELECT 1; ROLLBACK").statusmessage)


def work(name):
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    with connect() as idle, connect() as busy:
        idle.execute("SELECT %s::int * 2", (1,), prepare=True)
        print("ready", flush=True)
        done = 0
        while not stop.is_set():
            busy.execute("INSERT INTO public.work VALUES (%s, %s)", (name, done), prepare=True)
            done += 1
            if done % 50 == 0:
                with busy.pipeline():
                    for _ in range(10):
                        busy.execute("INSERT INTO public.work VALUES (%s, %s)", (name, done), prepare=True)
                        done += 1
        kept = idle.execute("SELECT %s::int * 2", (21,), prepare=True).fetchone()[0]
        there = idle.execute("SELECT count(*) FROM public.work WHERE driver = %s", (name,)).fetchone()[0]
        print(f"work: {done} acknowledged, {there} there, idle connection answers {kept}")


if len(sys.argv) > 4:
    work(sys.argv[4])
else:
    checks()
