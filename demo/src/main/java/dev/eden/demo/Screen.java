package dev.eden.demo;

import dev.eden.demo.load.Load;
import dev.eden.demo.load.LoadStats;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What a person sees while the demo runs: a view that is redrawn in place on a terminal, plain lines anywhere else. */
final class Screen implements AutoCloseable {
    private static final int EVENTS = 8;
    private static final long LIVE_MILLIS = 250;
    private static final long PLAIN_MILLIS = 2000;

    private final PrintStream out;
    private final Terminal terminal;
    private final String title;
    private final String units;
    private final long startedNanos = System.nanoTime();
    private final List<String> events = new ArrayList<>();
    private final Thread thread;
    private @Nullable StatusPoller poller;
    private @Nullable Load load;
    private long[] latenciesBefore = new long[0];
    private long operationsBefore;
    private long sampledNanos;
    private int drawn;
    private volatile boolean running = true;

    /**
     * @param title the first line of the view
     * @param units what there is many of
     */
    Screen(PrintStream out, Terminal terminal, String title, String units) {
        this.out = out;
        this.terminal = terminal;
        this.title = title;
        this.units = units;
        this.thread = Thread.ofPlatform().daemon().name("screen").start(this::redraw);
    }

    /** Figures of the load from now on. */
    synchronized void watch(Load newLoad) {
        load = newLoad;
        latenciesBefore = newLoad.stats().latencyCounts();
        operationsBefore = newLoad.stats().operations();
        sampledNanos = System.nanoTime();
    }

    /** Figures of the migration from now on. */
    synchronized void watch(StatusPoller newPoller) {
        poller = newPoller;
    }

    /** The load has ended: events only from now on. */
    synchronized void unwatch() {
        load = null;
    }

    /** Something happened. */
    synchronized void event(String words) {
        String line = String.format(Locale.ROOT, "%6.1f s  %s", (System.nanoTime() - startedNanos) / 1e9, words);
        if (terminal.live()) {
            events.add(line);
            if (events.size() > EVENTS) {
                events.removeFirst();
            }
            draw();
        } else {
            out.println(line);
        }
    }

    private void redraw() {
        try {
            while (running) {
                Thread.sleep(terminal.live() ? LIVE_MILLIS : PLAIN_MILLIS);
                synchronized (this) {
                    if (terminal.live()) {
                        draw();
                    } else if (load != null && running) {
                        out.println(String.format(Locale.ROOT, "%6.1f s  ", (System.nanoTime() - startedNanos) / 1e9)
                                + String.join(", ", figures()));
                    }
                }
            }
        } catch (InterruptedException end) {
            // close() ends the thread this way.
        }
    }

    private void draw() {
        List<String> lines = new ArrayList<>();
        lines.add(terminal.bold("Eden: " + title) + "   "
                + String.format(Locale.ROOT, "%.0f s", (System.nanoTime() - startedNanos) / 1e9));
        lines.addAll(View.of(poller == null ? null : poller.latest(), units, terminal));
        if (load != null) {
            lines.addAll(figures());
        }
        lines.add("");
        lines.addAll(events);
        StringBuilder frame = new StringBuilder();
        if (drawn > 0) {
            frame.append("\u001b[").append(drawn).append('A');
        }
        for (String line : lines) {
            frame.append("\u001b[2K").append(terminal.fit(line)).append('\n');
        }
        for (int i = lines.size(); i < drawn; i++) {
            frame.append("\u001b[2K\n");
        }
        drawn = Math.max(drawn, lines.size());
        out.print(frame);
        out.flush();
    }

    /** On a terminal what {@link View} leaves out, in plain mode all in one line. */
    private List<String> figures() {
        Load current = load;
        if (current == null) {
            return List.of();
        }
        LoadStats stats = current.stats();
        long now = System.nanoTime();
        long[] latencies = stats.latencyCounts();
        long operations = stats.operations();
        double perSecond = (operations - operationsBefore) * 1e9 / Math.max(1, now - sampledNanos);
        String latency = String.format(
                Locale.ROOT,
                "latency p50 %.2f ms p99 %.2f ms",
                LoadStats.millis(latenciesBefore, latencies, 0.5),
                LoadStats.millis(latenciesBefore, latencies, 0.99));
        if (now - sampledNanos > 900_000_000) {
            latenciesBefore = latencies;
            operationsBefore = operations;
            sampledNanos = now;
        }
        String rate = String.format(Locale.ROOT, "%,.0f ops/s", perSecond);
        String trouble = stats.errors() + " errors, " + stats.disconnects() + " disconnects";
        String troubleShown =
                stats.errors() + stats.disconnects() > 0 ? terminal.red(trouble) : terminal.green(trouble);
        if (terminal.live()) {
            return List.of("load       " + rate + ", " + troubleShown, "           " + latency);
        }
        List<String> words = new ArrayList<>();
        Status status = poller == null ? null : poller.latest();
        if (status != null) {
            words.add(View.oneLine(status, units));
        }
        words.add(rate);
        words.add(trouble);
        words.add(latency);
        return words;
    }

    @Override
    public void close() {
        running = false;
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
