package dev.eden.demo.postgres;

import dev.eden.demo.history.History;
import dev.eden.demo.history.Journal;
import dev.eden.demo.load.LoadOptions;
import dev.eden.demo.load.LoadStats;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One application: a connection of its own, one statement at a time, at its share of the rate. What it sends depends on its seed only,
 * but for what it was told to try again. A lost connection is opened again; nothing is ever sent twice.
 */
final class SqlClient implements Runnable {
    private static final long WORST_DEBT_NANOS = 200_000_000;

    /** What all clients of a load share. */
    record World(
            Logins logins,
            Rows rows,
            SerialKeys serialKeys,
            LoadOptions options,
            List<KnownErrors.Known> errors,
            History history,
            LoadStats stats,
            BooleanSupplier running) {}

    private final int client;
    private final World world;
    private final int address;
    private final Random random;
    private final CellWork cells;
    private final RowWork rows;
    private final SessionWork sessions;
    private @Nullable Connection connection;

    SqlClient(int client, World world, int address, SqlRecorder recorder, Journal journal) {
        this.client = client;
        this.world = world;
        this.address = address;
        this.random = new Random(world.options().seed() * 1_000_003 + client);
        Tokens tokens = new Tokens(client);
        this.cells = new CellWork(world.rows(), recorder, random, tokens);
        this.rows = new RowWork(client, world, cells, recorder, random, tokens, journal);
        this.sessions = new SessionWork(client, world, recorder, random, tokens, journal);
    }

    @Override
    public void run() {
        long pause = (long) (1e9 * world.options().clients() / world.options().rate());
        long due = System.nanoTime() + (long) (pause * random.nextDouble());
        while (world.running().getAsBoolean()) {
            Connection open = connect();
            if (open == null) {
                continue;
            }
            long wait = due - System.nanoTime();
            if (wait > 0) {
                LockSupport.parkNanos(wait);
                if (due - System.nanoTime() > 50_000) {
                    continue;
                }
            } else if (wait < -WORST_DEBT_NANOS) {
                due = System.nanoTime() - WORST_DEBT_NANOS;
            }
            Work work = Work.pick(random);
            if (!perform(open, work)) {
                disconnect();
            }
            due += pause * work.statements();
        }
        disconnect();
    }

    private boolean perform(Connection on, Work work) {
        return switch (work) {
            case READ -> cells.read(on);
            case READ_SEVERAL -> cells.readSeveral(on);
            case WRITE -> cells.write(on);
            case INCREMENT -> cells.increment(on);
            case COUNT -> cells.count(on);
            case LOG_APPEND -> cells.appendToLog(on);
            case LOG_TAIL -> cells.logTail(on);
            case TRAIL_APPEND -> cells.appendToTrail(on);
            case TRAIL_TAIL -> cells.trailTail(on);
            case PAIR_WRITE -> cells.writePair(on);
            case PAIR_READ -> cells.readPair(on);
            case TRANSFER -> rows.transfer(on);
            case SUM -> rows.sum(on);
            case INSERT -> rows.insert(on);
            case SERIAL -> rows.serial(on);
            case MIXED -> rows.mixed(on);
            case COPY_IN -> rows.copyIn(on);
            case COPY_OUT -> rows.copyOut(on);
            case NOTIFY -> sessions.notify(on);
            case ERROR -> sessions.error(on);
            case SQL_PREPARED -> sessions.sqlPrepared(on);
            case PARAMETER -> sessions.parameter(on);
        };
    }

    private @Nullable Connection connect() {
        Connection open = connection;
        if (open == null) {
            try {
                Logins.Style style = Logins.Style.values()[client / 2 % Logins.Style.values().length];
                open = world.logins().open(address, style, "demo-" + client);
                sessions.begin();
                connection = open;
            } catch (SQLException away) {
                world.stats().disconnected(client, "connect: " + away.getSQLState() + " " + away.getMessage());
                LockSupport.parkNanos(50_000_000);
                return null;
            }
        }
        return open;
    }

    private void disconnect() {
        Connection open = connection;
        connection = null;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException alreadyGone) {
                // Closing a lost connection fails; there is nothing left to close.
            }
        }
    }
}
