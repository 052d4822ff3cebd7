/* What C with libpq sees, in pipeline mode above all, one line a check; the same lines are expected over any way to the same server.
 *   checks PORT DATABASE CA         the checks
 *   checks PORT DATABASE CA NAME    ordinary work in pipelines until the input ends, then what came of it
 */
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char **to;
static const char *plain = "sslmode=disable";
static char verified[1024];

static PGconn *connect_as(const char *user, const char *password, const char *more) {
    char all[2048];
    snprintf(all, sizeof all, "host=127.0.0.1 port=%s dbname=%s user=%s password=%s %s", to[1], to[2], user, password, more);
    return PQconnectdb(all);
}

static PGconn *connected(const char *more) {
    PGconn *at = connect_as("drivers", "drivers", more);
    if (PQstatus(at) != CONNECTION_OK) {
        printf("connect: %s", PQerrorMessage(at));
        exit(1);
    }
    return at;
}

/* The last words of a refusal, without who said them to whom. */
static const char *words(PGconn *at) {
    const char *text = PQerrorMessage(at), *found = NULL;
    const char *begins[] = {"FATAL", "ERROR", "SSL error", "channel binding"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins && !found; i++)
        found = strstr(text, begins[i]);
    return found ? found : text;
}

static void login(const char *name, const char *user, const char *password, const char *more) {
    PGconn *at = connect_as(user, password, more);
    if (PQstatus(at) != CONNECTION_OK) {
        printf("%s: %s", name, words(at));
    } else {
        PGresult *row = PQexec(at, "SELECT current_user || length(repeat('x', 200000))");
        printf("%s: %s, TLS %d, password %d\n", name, PQgetvalue(row, 0, 0), PQsslInUse(at), PQconnectionUsedPassword(at));
        PQclear(row);
    }
    PQfinish(at);
}

static void told(const char *name, PGresult *result) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE), *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    printf("%s: %s %s %s %s %s\n", name, PQresStatus(PQresultStatus(result)), PQcmdStatus(result), PQntuples(result) ? PQgetvalue(result, 0, 0) : "",
           state ? state : "", position ? position : "");
    PQclear(result);
}

/* Everything that a pipeline answers, up to its syncs: kinds and values. */
static void drain(const char *name, PGconn *at, int syncs) {
    printf("%s:", name);
    while (syncs > 0) {
        PGresult *result = PQgetResult(at);
        if (!result)
            continue; /* between two statements */
        ExecStatusType status = PQresultStatus(result);
        const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        printf(" %s", status == PGRES_PIPELINE_SYNC ? "sync" : status == PGRES_PIPELINE_ABORTED ? "skipped" : state ? state : PQntuples(result) ? PQgetvalue(result, 0, 0) : PQcmdStatus(result));
        syncs -= status == PGRES_PIPELINE_SYNC;
        PQclear(result);
    }
    printf("\n");
}

static void send_one(PGconn *at, const char *sql, const char *value) {
    PQsendQueryParams(at, sql, value ? 1 : 0, NULL, &value, NULL, NULL, 0);
}

static void pipelines(void) {
    PGconn *at = connected(plain);
    char number[20];
    PQenterPipelineMode(at);
    for (int i = 0; i < 50; i++) {
        snprintf(number, sizeof number, "%d", i);
        send_one(at, "SELECT $1::text", number);
        if (i % 10 == 9)
            PQpipelineSync(at);
    }
    drain("pipeline", at, 5);
    send_one(at, "SELECT 1", NULL);
    send_one(at, "SELECT 1 / 0", NULL);
    send_one(at, "SELECT 2", NULL);
    PQpipelineSync(at);
    send_one(at, "SELECT 3", NULL);
    PQpipelineSync(at);
    drain("pipeline with an error", at, 2);
    PQsendPrepare(at, "twice", "SELECT $1::int * 2", 0, NULL);
    PQsendDescribePrepared(at, "twice");
    const char *value = "21";
    PQsendQueryPrepared(at, "twice", 1, &value, NULL, NULL, 0);
    PQsendFlushRequest(at);
    PQflush(at);
    PQsendQueryPrepared(at, "twice", 1, &value, NULL, NULL, 0);
    PQpipelineSync(at);
    drain("prepared in a pipeline", at, 1);
    send_one(at, "BEGIN", NULL);
    send_one(at, "CREATE TEMP TABLE piped (id int)", NULL);
    send_one(at, "INSERT INTO piped VALUES ($1::int)", "1");
    send_one(at, "INSERT INTO piped VALUES ($1::int)", "x");
    send_one(at, "COMMIT", NULL);
    PQpipelineSync(at);
    send_one(at, "ROLLBACK", NULL);
    send_one(at, "SELECT to_regclass('piped')", NULL);
    PQpipelineSync(at);
    drain("transaction in a pipeline", at, 2);
    printf("left: %d\n", PQexitPipelineMode(at));
    PQfinish(at);
}

static void copies(void) {
    PGconn *at = connected(plain);
    PQclear(PQexec(at, "CREATE TEMP TABLE copied (id int, note text)"));
    PQclear(PQexec(at, "COPY copied FROM STDIN"));
    char row[100];
    for (int i = 0; i < 10000; i++)
        PQputCopyData(at, row, snprintf(row, sizeof row, "%d\tnote %d\n", i, i));
    PQputCopyEnd(at, NULL);
    told("copy in", PQgetResult(at));
    PQclear(PQgetResult(at));
    PQclear(PQexec(at, "COPY copied TO STDOUT (FORMAT binary)"));
    long size = 0;
    char *block;
    for (int length = PQgetCopyData(at, &block, 0); length > 0; length = PQgetCopyData(at, &block, 0)) {
        size += length;
        PQfreemem(block);
    }
    printf("copy out: %ld bytes, ", size);
    told("then", PQgetResult(at));
    PQclear(PQgetResult(at));
    PQclear(PQexec(at, "COPY copied FROM STDIN"));
    PQputCopyData(at, "no number\tx\n", 12);
    PQputCopyEnd(at, NULL);
    told("copy of what does not fit", PQgetResult(at));
    PQclear(PQgetResult(at));
    PQclear(PQexec(at, "COPY copied FROM STDIN"));
    PQputCopyEnd(at, "changed my mind");
    told("copy that the client gives up", PQgetResult(at));
    PQclear(PQgetResult(at));
    told("after all", PQexec(at, "SELECT count(*) FROM copied"));
    PQfinish(at);
}

static void cancel(const char *name, const char *more) {
    PGconn *at = connected(more), *other = connected(plain);
    const char *sleep = "SELECT pg_sleep(60)";
    PQsendQuery(at, sleep);
    for (int running = 0; !running;) {
        PGresult *row = PQexecParams(other, "SELECT 1 FROM pg_stat_activity WHERE query = $1 AND state = 'active'", 1, NULL, &sleep, NULL, NULL, 0);
        running = PQntuples(row);
        PQclear(row);
    }
    char why[256];
    PGcancel *key = PQgetCancel(at);
    printf("%s sent: %d\n", name, PQcancel(key, why, sizeof why));
    PQfreeCancel(key);
    told(name, PQgetResult(at));
    PQclear(PQgetResult(at));
    told("after it", PQexec(at, "SELECT 1"));
    PQfinish(at);
    PQfinish(other);
}

static void notified(void) {
    PGconn *at = connected(plain), *other = connected(plain);
    PQclear(PQexec(at, "LISTEN drivers"));
    PQclear(PQexec(other, "NOTIFY drivers, 'heard'"));
    PGnotify *heard = NULL;
    while (!(heard = PQnotifies(at))) {
        struct pollfd wait = {PQsocket(at), POLLIN, 0};
        if (poll(&wait, 1, 10000) <= 0)
            break;
        PQconsumeInput(at);
    }
    printf("notify: %s\n", heard ? heard->extra : "nothing");
    PQfreemem(heard);
    PQfinish(at);
    PQfinish(other);
}

static void work(const char *name) {
    PGconn *idle = connected(plain), *busy = connected(plain);
    PQclear(PQprepare(idle, "twice", "SELECT $1::int * 2", 0, NULL));
    PQclear(PQprepare(busy, "insert", "INSERT INTO public.work VALUES ($1, $2)", 0, NULL));
    puts("ready");
    fflush(stdout);
    PQenterPipelineMode(busy);
    long done = 0;
    char failed[2048] = "";
    for (struct pollfd in = {0, POLLIN, 0}; !*failed && poll(&in, 1, 0) == 0;) {
        char number[20];
        const char *values[] = {name, number};
        int batch = done % 60 < 50 ? 1 : 10;
        for (int i = 0; i < batch; i++) {
            snprintf(number, sizeof number, "%ld", done + i);
            PQsendQueryPrepared(busy, "insert", 2, values, NULL, NULL, 0);
        }
        PQpipelineSync(busy);
        int ended = 0;
        while (!ended && !*failed) {
            PGresult *result = PQgetResult(busy);
            if (!result) {
                if (PQstatus(busy) != CONNECTION_OK)
                    snprintf(failed, sizeof failed, ", %s", PQerrorMessage(busy));
                continue;
            }
            ended = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
            if (!ended && PQresultStatus(result) != PGRES_COMMAND_OK)
                snprintf(failed, sizeof failed, ", %s", PQresultErrorMessage(result));
            PQclear(result);
        }
        done += *failed ? 0 : batch;
    }
    const char *value = "21";
    PGresult *twice = PQexecPrepared(idle, "twice", 1, &value, NULL, NULL, 0);
    PGresult *there = PQexecParams(idle, "SELECT count(*) FROM public.work WHERE driver = $1", 1, NULL, &name, NULL, NULL, 0);
    printf("work: %ld acknowledged, %s there, idle connection answers %s%s\n", done, PQntuples(there) ? PQgetvalue(there, 0, 0) : "?",
           PQntuples(twice) ? PQgetvalue(twice, 0, 0) : PQerrorMessage(idle), failed);
    PQclear(twice);
    PQclear(there);
    PQfinish(idle);
    PQfinish(busy);
}

int main(int count, char **arguments) {
    to = arguments;
    snprintf(verified, sizeof verified, "sslmode=verify-full sslrootcert=%s", to[3]);
    if (count > 4) {
        work(to[4]);
        return 0;
    }
    char binding[1200];
    snprintf(binding, sizeof binding, "%s channel_binding=require", verified);
    login("wrong password", "drivers", "wrong", plain);
    login("no such user", "nobody_here", "wrong", plain);
    login("SCRAM", "drivers", "drivers", plain);
    login("md5", "old", "elderly", plain);
    login("md5, wrong password", "old", "young", plain);
    login("TLS, verified", "drivers", "drivers", verified);
    login("TLS, another authority", "drivers", "drivers", "sslmode=verify-full sslrootcert=/etc/ssl/certs/ca-certificates.crt");
    login("TLS, wrong password", "drivers", "wrong", verified);
    login("channel binding", "drivers", "drivers", binding);
    login("channel binding without TLS", "drivers", "drivers", "sslmode=disable channel_binding=require");
    login("md5 over TLS", "old", "elderly", verified);
    pipelines();
    copies();
    cancel("cancel", plain);
    cancel("cancel over TLS", verified);
    notified();
    PGconn *at = connected(plain);
    told("error", PQexec(at, "SELECT no_such_column FROM pg_class"));
    PQsendQuery(at, "SELECT generate_series(1, 1000)");
    PQsetSingleRowMode(at);
    long sum = 0;
    for (PGresult *row = PQgetResult(at); row; row = PQgetResult(at)) {
        sum += PQntuples(row) ? atol(PQgetvalue(row, 0, 0)) : 0;
        PQclear(row);
    }
    printf("row by row: %ld\n", sum);
    PQfinish(at);
    return 0;
}
