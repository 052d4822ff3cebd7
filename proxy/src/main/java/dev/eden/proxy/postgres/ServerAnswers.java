package dev.eden.proxy.postgres;

import dev.eden.proxy.postgres.Expectations.Kind;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * What each message of a server means: which expectation it answers, whether it is the client's, the proxy's own or nobody's, and what it says of the
 * connection. Answers that the proxy gives in a server's stead come in between, when their turn does.
 */
final class ServerAnswers implements FrameScanner.Sink {
    private static final Logger LOGGER = LoggerFactory.getLogger(ServerAnswers.class);

    private final ServerConnection connection;
    private final PostgresLoop loop;
    private final ServerStatements statements;
    private final Expectations expected;
    private final ServerParameters parameters;
    private final List<Exchange> ended = new ArrayList<>(1);

    /** An error ended the current batch, and the client has not sent that batch's Sync yet. */
    private boolean failedBatch;
    /** A COPY from the client is running: Syncs are ignored until its end. */
    private boolean copyingIn;
    /** The server waits for the rows of a COPY, by whatever it was asked. */
    private boolean wantsRows;

    /** Syncs that the server is taken to ignore, for it wants rows. */
    private int struckOut;
    /** Of a COPY that has failed: it may answer them after all, where it had not begun to read. */
    private int struckOutInVain;
    /** When that COPY was asked for. */
    private long copySince;

    /** The client's unnamed statement after an error; null: the error had no part of it. */
    private @Nullable Object unnamed;

    /** What the client is told in place of the server's error. */
    private @Nullable ErrorMessage refusal;

    private boolean failedRequest;
    /** Something was done beside the opening or undoing of a transaction. */
    private boolean worked;

    private boolean farewellPassed;
    private int readySignals;
    /** Of the server's ReadyForQuery: what else the client is told, and that. */
    private @Nullable ByteBuf instead;

    private boolean answerDue;

    ServerAnswers(ServerConnection connection) {
        this.connection = connection;
        this.loop = connection.pool.loop;
        this.statements = connection.statements;
        this.expected = connection.expected;
        this.parameters = new ServerParameters(connection);
    }

    boolean failedBatch() {
        return failedBatch;
    }

    /** True where the server takes what comes for nothing: it skips to the next Sync, or wants rows. */
    boolean ignores() {
        return failedBatch || wantsRows;
    }

    /** More may come than is expected. */
    boolean doubtful() {
        return struckOutInVain > 0;
    }

    /** The client has sent a Sync while the server wants rows. */
    void syncIgnored() {
        struckOut++;
    }

    boolean copyingIn() {
        return copyingIn;
    }

    boolean wantsRows() {
        return wantsRows;
    }

    /** The client has sent all rows of a COPY, or will send no more. */
    void rowsEnded() {
        if (wantsRows) {
            copyEnded();
        } else if (!failedBatch && !expected.isEmpty()) {
            expected.add(Kind.ROWS_END, null, loop.now); // before it was asked for them
        }
    }

    private void copyEnded() {
        copyingIn = false;
        wantsRows = false;
    }

    ServerParameters parameters() {
        return parameters;
    }

    /** True where the client has been told in the server's own words why its session ends. */
    boolean farewellPassed() {
        return farewellPassed;
    }

    void expect(Kind kind, @Nullable Object subject) {
        if (kind.endsBatch()) {
            failedBatch = false;
        } else if (failedBatch) {
            return; // the server skips it
        }
        expected.add(kind, subject, loop.now);
        if (kind.answeredHere()) {
            answerHere();
        }
    }

    @Override
    public boolean whole(byte type) {
        return switch (type) {
            // a notification may come at any time, also where the proxy has an answer of its own
            case 'Z', 'E', 'S', 'K', 'R', 'v', '1', '2', '3', 't', 'T', 'n', 'C', 'I', 's', 'G', 'W', 'A' -> true;
            case 'D' -> expected.first() == Kind.EXCHANGE;
            default -> false;
        };
    }

    @Override
    public FrameScanner.Verdict streamed(byte type, int total) {
        if (!connection.ready() || connection.client == null) {
            return FrameScanner.Verdict.DROP;
        }
        worked |= type == 'V';
        return expected.first() == Kind.EXCHANGE ? FrameScanner.Verdict.DROP : FrameScanner.Verdict.PASS;
    }

    @Override
    public FrameScanner.Verdict message(byte type, ByteBuf in, int index, int total) {
        if (connection.loggingIn()) {
            connection.loginMessage(type, in, index, total);
            return FrameScanner.Verdict.DROP;
        }
        Kind first = expected.first();
        if (type == 'S') {
            return parameters.told(in, index, total, first) ? FrameScanner.Verdict.PASS : FrameScanner.Verdict.DROP;
        }
        if (type == 'Z') {
            return ready(in, index, first);
        }
        if (type == 'A') {
            return connection.client == null ? FrameScanner.Verdict.DROP : FrameScanner.Verdict.PASS;
        }
        if (first == Kind.EXCHANGE) {
            if (type == 'D') {
                subject(Exchange.class).row(in, index, total, connection.settings.encoding());
            } else if (type == 'E') {
                ErrorMessage error = ErrorMessage.read(in, index, total);
                subject(Exchange.class).failed(error);
                if (error.fatal()) {
                    connection.endsWith(error);
                }
            }
            return FrameScanner.Verdict.DROP;
        }
        switch (type) {
            case 'E' -> {
                return error(in, index, total);
            }
            case '1' -> {
                return parsed(first);
            }
            case '3' -> {
                expected.remove();
                return first == Kind.OWN_CLOSE ? dropped() : passed();
            }
            case '2' -> expected.remove();
            case 't' -> {
                if (expected.subject() instanceof ServerStatements.Described described) {
                    statements.parametersTold(described, in, index);
                }
                return first == Kind.OWN_DESCRIBE ? dropped() : passed();
            }
            case 'T', 'n' -> {
                if (first == Kind.DESCRIBE || first == Kind.OWN_DESCRIBE) {
                    return described(first, in, index, total);
                }
            }
            case 'C' -> {
                tag(in, index, total);
                if (first == Kind.EXECUTE) {
                    Object subject = expected.subject();
                    expected.remove();
                    dropped(subject, true);
                }
                struckOut = 0;
                copyEnded();
            }
            case 'I', 's' -> {
                worked |= type == 's';
                if (first == Kind.EXECUTE) {
                    expected.remove();
                }
            }
            case 'G', 'W' -> {
                rowsWanted(first == Kind.EXECUTE);
            }
            default -> {
                // passes as it is
            }
        }
        return passed();
    }

    private FrameScanner.Verdict described(Kind first, ByteBuf in, int index, int total) {
        if (expected.subject() instanceof ServerStatements.Described described) {
            statements.columnsTold(described, in, index, total);
        }
        expected.remove();
        if (first == Kind.DESCRIBE) {
            return passed();
        }
        wakeHolder();
        return dropped();
    }

    /** It may have waited for a description. */
    private void wakeHolder() {
        ClientSession holder = connection.client;
        if (holder != null) {
            loop.wake(holder);
        }
    }

    private void rowsWanted(boolean inBatch) {
        boolean sent = expected.hasRowsEnd();
        wantsRows = !sent;
        copyingIn = inBatch && !sent;
        copySince = expected.time();
        int ignored = expected.dropSyncs();
        struckOut += ignored;
        ClientSession holder = connection.client;
        if (holder != null) {
            holder.batches.syncsIgnored(ignored, inBatch && !expected.expectsEndOfBatch());
            if (ignored > 0) {
                loop.wake(holder); // it may wait for their answer
            }
        } else if (!sent) {
            connection.close(); // nobody will send them
        }
    }

    /** What was to drop prepared statements has been answered, or skipped: what waits for that goes on. */
    private void dropped(@Nullable Object subject, boolean done) {
        if (!(subject instanceof ServerStatements.Dropping what)) {
            return;
        }
        ClientSession holder = connection.client;
        if (done && what instanceof ServerStatements.Dropping.One(ClientStatements.Entry entry, Variant variant)) {
            statements.gone(variant);
            if (holder != null) {
                holder.statements.close(entry.name());
            }
        }
        if (holder != null) {
            loop.wake(holder);
        }
    }

    private <T> T subject(Class<T> type) {
        return type.cast(Objects.requireNonNull(expected.subject()));
    }

    private FrameScanner.Verdict passed() {
        return answersHere() ? FrameScanner.Verdict.PASS_THEN_CUT : FrameScanner.Verdict.PASS;
    }

    private FrameScanner.Verdict dropped() {
        return answersHere() ? FrameScanner.Verdict.DROP_THEN_CUT : FrameScanner.Verdict.DROP;
    }

    private boolean answersHere() {
        Kind next = expected.first();
        answerDue = next != null && next.answeredHere();
        return answerDue;
    }

    private void answerHere() {
        for (Kind next = expected.first(); next != null && next.answeredHere(); next = expected.first()) {
            if (next == Kind.KNOWN_PARSE && expected.subject() instanceof ClientStatements.Entry entry) {
                entry.confirm();
            }
            expected.remove();
            ClientSession holder = connection.client;
            if (holder != null) {
                ByteBuf out = loop.buffer();
                Message.empty(out, next == Kind.KNOWN_PARSE ? '1' : '3');
                holder.deliver(out);
            }
        }
    }

    private FrameScanner.Verdict parsed(@Nullable Kind first) {
        if (first != Kind.PARSE && first != Kind.UNNAMED_PARSE && first != Kind.OWN_PARSE) {
            throw new ProtocolViolation("ParseComplete where none was due");
        }
        if (expected.subject() instanceof ClientStatements.Entry entry) {
            statements.parsed(entry);
        }
        expected.remove();
        return first == Kind.OWN_PARSE ? dropped() : passed();
    }

    private FrameScanner.Verdict ready(ByteBuf in, int index, @Nullable Kind first) {
        int newStatus = in.getByte(index + Message.HEADER);
        if (first == null && struckOutInVain > 0) {
            return readyAfterAll(newStatus);
        }
        if (first == null || !first.endsBatch()) {
            throw new ProtocolViolation("ReadyForQuery where none was due");
        }
        parameters.ready(first);
        long began = expected.time();
        connection.status = newStatus;
        copyEnded();
        ClientSession reader = connection.client;
        if (first != Kind.EXCHANGE && reader != null && reader.transaction.status() != 'I') {
            in.setByte(index + Message.HEADER, reader.transaction.status()); // it knows itself in a transaction
        }
        if (first == Kind.EXCHANGE) {
            Exchange exchange = subject(Exchange.class);
            expected.remove();
            statements.told(expected.isEmpty());
            ended.add(exchange);
            answersHere(); // what the client has asked behind it
            return FrameScanner.Verdict.DROP_THEN_CUT;
        }
        expected.remove();
        statements.told(expected.isEmpty());
        if (worked && !failedRequest) {
            struckOutInVain = 0; // an answer to that Sync would have come before this request's
        }
        if (worked || failedRequest) {
            loop.traffic.record(connection.pool.onActive(), loop.now - began, failedRequest);
        }
        failedRequest = false;
        worked = false;
        return batchEnds(reader, newStatus, in.getByte(index + Message.HEADER));
    }

    /** {@code shown}: the status as the client is to see it. */
    private FrameScanner.Verdict batchEnds(@Nullable ClientSession reader, int newStatus, int shown) {
        readySignals++;
        ByteBuf told = reader == null ? null : reader.toldAtTheEnd(readySignals, newStatus);
        if (told == null) {
            return FrameScanner.Verdict.PASS_THEN_CUT;
        }
        Message.readyForQuery(told, shown);
        instead = told;
        return FrameScanner.Verdict.DROP_THEN_CUT;
    }

    /** A COPY failed before the server read on: it has found the Sync behind it. */
    private FrameScanner.Verdict readyAfterAll(int newStatus) {
        struckOutInVain--;
        failedBatch = false;
        connection.status = newStatus;
        ClientSession holder = connection.client;
        if (holder == null) {
            return FrameScanner.Verdict.DROP;
        }
        if (failedRequest) {
            loop.traffic.record(connection.pool.onActive(), loop.now - copySince, true);
        }
        failedRequest = false;
        worked = false;
        holder.batches.sent();
        return batchEnds(holder, newStatus, newStatus);
    }

    @Override
    public void cut() {
        ByteBuf ready = instead;
        if (ready != null) {
            instead = null;
            pass(ready);
        }
        ErrorMessage own = refusal;
        if (own != null) {
            refusal = null;
            ByteBuf out = loop.buffer();
            own.write(out);
            pass(out);
        }
        if (answerDue) {
            answerDue = false;
            answerHere();
        }
        if (readySignals > 0) {
            int signals = readySignals;
            readySignals = 0;
            ClientSession holder = connection.client;
            answerHere();
            if (holder != null) {
                holder.answered(signals, connection.status);
            }
        }
        endExchanges();
        if (connection.client == null) {
            connection.orphanAnswered();
        }
    }

    private FrameScanner.Verdict error(ByteBuf in, int index, int total) {
        failedRequest |= expected.subject() != ServerStatements.NOT_YET;
        struckOutInVain += struckOut;
        struckOut = 0;
        copyEnded();
        ErrorMessage error = ErrorMessage.read(in, index, total);
        ClientSession reader = connection.client;
        boolean hidden = reader != null && reader.standbyRead.hides(error);
        refusal = !error.fatal() && !hidden && expected.subject() instanceof ErrorMessage own ? own : null;
        if (error.fatal()) {
            connection.endsWith(error);
            ClientSession holder = connection.client;
            if (hidden || holder != null && holder.crossing.survives()) {
                return FrameScanner.Verdict.DROP;
            }
            if (holder == null) {
                // behind the barrier it is Eden's own fence that ends them
                LOGGER.atLevel(loop.gate.held() ? Level.DEBUG : Level.INFO)
                        .addKeyValue("endpoint", connection.pool.key.server().endpoint())
                        .log("the server ended an idle connection: {} {}", error.sqlState(), error.message());
            }
        } else {
            if (reader != null && !hidden) {
                reader.transaction.fail();
            }
            statements.unnamed = null; // a Parse that fails or is skipped leaves none, or another
            unnamed = expected.first() == Kind.UNNAMED_PARSE ? ClientStatements.NO_UNNAMED : null;
            if (expected.isEmpty()) {
                failedBatch = connection.client != null; // of the batch whose answers so far have all come
            } else {
                statements.stale(error, unnamed == null ? expected.subject() : null);
                if (!expected.skipToEndOfBatch(this::skipped)) {
                    failedBatch = true;
                    if (reader != null) {
                        reader.batches.begun(); // a simple query in it has ended nothing
                    }
                }
                Object remains = unnamed;
                if (remains != null && reader != null && !expected.changesUnnamed(remains)) {
                    reader.statements.unnamedIs(remains instanceof Prepared former ? former : null);
                }
            }
        }
        farewellPassed = error.fatal() && connection.client != null;
        if (refusal != null) {
            return FrameScanner.Verdict.DROP_THEN_CUT;
        }
        return connection.client == null || hidden ? FrameScanner.Verdict.DROP : FrameScanner.Verdict.PASS;
    }

    private void skipped(Kind kind, @Nullable Object subject) {
        if (subject instanceof ServerStatements.Closing closing) {
            statements.kept(closing);
        }
        dropped(subject, false);
        ClientSession holder = connection.client;
        if (holder == null) {
            return;
        }
        if (kind == Kind.OWN_DESCRIBE) {
            loop.wake(holder);
        }
        if (kind == Kind.QUERY) {
            holder.batches.querySkipped();
            loop.wake(holder); // what waits for its answer
        } else if (subject instanceof ClientStatements.Entry entry) {
            holder.statements.skipped(entry);
        } else if (unnamed == null && (kind == Kind.UNNAMED_PARSE || kind == Kind.CLOSE)) {
            unnamed = subject;
        }
    }

    private void tag(ByteBuf in, int index, int total) {
        byte first = in.getByte(index + Message.HEADER);
        worked |= !brackets(in, index + Message.HEADER, first);
        if (total < 16 || first != 'D') {
            return;
        }
        ClientSession holder = connection.client;
        String tag = Message.text(in, index + Message.HEADER, index + total - 1);
        if (tag.equals("DISCARD ALL")) {
            connection.discarded();
            if (holder == null) {
                return;
            }
            connection.defaults.assigned(connection.defaults.assigned() & ~holder.settings.discarded());
            holder.discarded();
            if (!connection.reports(Settings.SEARCH_PATH)) {
                String path = connection.settings.value(Settings.SEARCH_PATH);
                if (path != null) {
                    holder.changed(Settings.SEARCH_PATH, path);
                }
            }
        } else if (tag.equals("DEALLOCATE ALL")) {
            statements.forget();
            if (holder != null) {
                holder.statements.clearNamed();
            }
        }
    }

    /** BEGIN, START TRANSACTION, SAVEPOINT, RELEASE, ROLLBACK. */
    private static boolean brackets(ByteBuf in, int from, byte first) {
        byte second = in.getByte(from + 1);
        return switch (first) {
            case 'B' -> true;
            case 'S' -> second == 'T' || second == 'A';
            case 'R' -> second == 'O' || second == 'E' && in.getByte(from + 2) == 'L';
            default -> false;
        };
    }

    @Override
    public void pass(ByteBuf slice) {
        ClientSession holder = connection.client;
        if (holder == null) {
            slice.release();
        } else {
            holder.deliver(slice);
        }
    }

    /** The connection is gone: nothing of what is due comes any more. */
    void lost(ErrorMessage why) {
        while (!expected.isEmpty()) {
            Object subject = expected.subject();
            expected.remove();
            if (subject instanceof Exchange exchange) {
                exchange.failed(why);
                ended.add(exchange);
            }
        }
    }

    /** Calls those back who asked something for the proxy and have their answer. */
    void endExchanges() {
        while (!ended.isEmpty()) {
            ended.removeFirst().end();
        }
    }
}
