package dev.eden.demo.postgres;

import dev.eden.demo.history.Heard;
import dev.eden.demo.history.History;
import dev.eden.demo.history.Journal;
import dev.eden.demo.load.Load;
import dev.eden.demo.load.LoadOptions;
import dev.eden.demo.load.LoadStats;
import java.util.ArrayList;
import java.util.List;

/** Runs the clients and listeners, spread over the addresses, until it is stopped. */
final class SqlLoad implements Load {
    private final LoadStats stats = new LoadStats();
    private final List<Thread> threads = new ArrayList<>();
    private final List<Journal> journals = new ArrayList<>();
    private final List<Listener> listeners = new ArrayList<>();
    private final Logins logins;
    private final int addresses;
    private final long startedNanos = System.nanoTime();
    private volatile boolean running = true;
    private volatile long stoppedNanos;

    private SqlLoad(Logins logins, int addresses) {
        this.logins = logins;
        this.addresses = addresses;
    }

    /**
     * Starts at once: one listener per address, which no option counts, and then the clients. The schema must be there.
     *
     * @param addresses the first so many that logins has
     * @param others so many after them, where clients connect too, but nobody listens
     */
    static SqlLoad start(
            Logins logins,
            int addresses,
            int others,
            Rows rows,
            LoadOptions options,
            List<KnownErrors.Known> errors,
            History history,
            History requests) {
        SqlLoad load = new SqlLoad(logins, addresses);
        for (int address = 0; address < addresses; address++) {
            Listener listener = new Listener(address, logins, history, load.stats);
            load.listeners.add(listener);
            listener.start();
        }
        load.listeners.forEach(Listener::awaitListening);
        SerialKeys keys = new SerialKeys();
        for (int client = 0; client < options.clients(); client++) {
            Journal journal = new Journal(client);
            load.journals.add(journal);
            SqlClient run = new SqlClient(
                    client,
                    new SqlClient.World(logins, rows, keys, options, errors, history, load.stats, () -> load.running),
                    client % (addresses + others),
                    new SqlRecorder(client, history, requests, load.stats),
                    journal);
            // Platform threads: the times they take are the measurement, a shared carrier would add its own queue.
            int id = client;
            load.threads.add(Thread.ofPlatform()
                    .daemon()
                    .name("load-" + client)
                    .uncaughtExceptionHandler((_, e) -> load.stats.error(id, "the client died: " + e))
                    .start(run));
        }
        return load;
    }

    @Override
    public LoadStats stats() {
        return stats;
    }

    @Override
    public double seconds() {
        return ((running ? System.nanoTime() : stoppedNanos) - startedNanos) / 1e9;
    }

    /** Complete after {@link #close}. */
    List<Journal> journals() {
        return List.copyOf(journals);
    }

    /** Complete after {@link #close}. */
    List<Heard> heard() {
        return listeners.stream().map(Listener::heard).toList();
    }

    /** Lets every client finish, then every listener hear what was sent. Afterwards histories and journals are complete. */
    @Override
    public void close() {
        if (!running) {
            return;
        }
        running = false;
        stoppedNanos = System.nanoTime();
        threads.forEach(SqlLoad::join);
        Listener.sayGoodbye(logins, addresses);
        listeners.forEach(Listener::close);
    }

    static void join(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
