"""What a Python driver on libpq (psycopg 3) sees, one line a check; the same lines are expected over any way to the same server."""

import sys
import threading
import time

import psycopg

CONNECT = f"host=127.0.0.1 port={sys.argv[1]} dbname={sys.argv[2]} user={sys.argv[3]} sslmode=disable"
PASSWORD = sys.argv[4]


def connect(**more):
    return psycopg.connect(CONNECT, password=PASSWORD, autocommit=True, **more)


def told(name, work):
    try:
        print(f"{name}: {work()}")
    except psycopg.Error as error:
        position = error.diag.statement_position
        print(f"{name}: {error.sqlstate} {error.diag.message_primary} {position or ''}".rstrip())


def wrong_password():
    try:
        psycopg.connect(CONNECT, password="wrong")
    except psycopg.OperationalError as error:
        return "password authentication failed" in str(error)
    return "let in"


def prepared():
    with connect() as at:
        return [at.execute("SELECT %s::int * 2", (i,), prepare=True).fetchone()[0] for i in range(8)]


def binary():
    with connect() as at:
        return at.cursor(binary=True).execute("SELECT 1::int, 'é'::text, '{1,2}'::int[], now() IS NOT NULL").fetchone()


def pipeline():
    with connect() as at, at.pipeline() as line:
        cursors = [at.execute("SELECT %s::text", (str(i),)) for i in range(50)]
        line.sync()
        bad = at.execute("SELECT 1 / 0")
        after = at.execute("SELECT 2")
        states = []
        for cursor in (bad, after):
            try:
                cursor.fetchone()
            except psycopg.Error as error:
                states.append(type(error).__name__)
        try:
            line.sync()
        except psycopg.Error as error:
            states.append(type(error).__name__)
        return "".join(c.fetchone()[0] for c in cursors), states


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


def cancel():
    with connect() as at:
        def strike():
            time.sleep(0.5)
            at.cancel_safe()

        threading.Thread(target=strike).start()
        try:
            at.execute("SELECT pg_sleep(20)")
        except psycopg.errors.QueryCanceled as error:
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


told("wrong password", wrong_password)
told("prepared", prepared)
told("binary", binary)
told("pipeline", pipeline)
told("copy", copy)
told("cancel", cancel)
told("notify", notify)
told("cursor", cursor)
told("error", lambda: connect().execute("SELECT no_such_column FROM pg_class"))
told("transaction", lambda: connect().execute("BEGIN; SELECT 1; ROLLBACK").statusmessage)
