package dev.eden.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A migration's status in words and bars. */
final class View {
    private static final List<String> WAY =
            List.of("initializing", "replicating", "validating", "canary", "cutting_over", "baking", "completed");

    private View() {}

    static List<String> of(@Nullable Status status, String units, Terminal terminal) {
        if (status == null) {
            return List.of("phase      starting");
        }
        List<String> lines = new ArrayList<>();
        lines.add("phase      " + way(status, terminal));
        lines.add("copy       " + copy(status, units, terminal));
        lines.add(String.format(
                Locale.ROOT,
                "lag        %s    epoch %d    writes: %s",
                status.lagMillis() >= 0 ? String.format(Locale.ROOT, "%.0f ms", status.lagMillis()) : "unknown",
                status.epoch(),
                status.active().isEmpty() ? "source" : status.active()));
        lines.add("canary     " + canary(status));
        return lines;
    }

    private static String way(Status status, Terminal terminal) {
        StringBuilder words = new StringBuilder();
        for (String phase : WAY) {
            if (!words.isEmpty()) {
                words.append(' ');
            }
            words.append(phase.equals(status.phase()) ? terminal.bold("[" + phase + "]") : phase);
        }
        if (!WAY.contains(status.phase())) {
            words = new StringBuilder(terminal.bold("[" + status.phase() + "]"));
        }
        return words + (status.paused() ? " (paused)" : "");
    }

    private static String copy(Status status, String units, Terminal terminal) {
        Status.Progress progress = status.progress();
        if (!progress.known()) {
            return "not begun";
        }
        int width = Math.max(10, Math.min(30, terminal.width() - 60));
        int full = (int) Math.round(progress.fraction() * width);
        String bar = "[" + "#".repeat(full) + "-".repeat(width - full) + "]";
        return String.format(
                Locale.ROOT,
                "%s %3.0f %%  %,d of %,d %s%s%s",
                bar,
                progress.fraction() * 100,
                progress.keysDone(),
                progress.keysTotal(),
                units,
                progress.keysPerSecond() > 0 ? String.format(Locale.ROOT, ", %,.0f/s", progress.keysPerSecond()) : "",
                progress.fraction() < 1 ? left(progress) : "");
    }

    private static String left(Status.Progress progress) {
        return progress.etaSeconds() >= 0 ? String.format(Locale.ROOT, ", %.0f s left", progress.etaSeconds()) : "";
    }

    private static String canary(Status status) {
        return String.format(
                Locale.ROOT,
                "%.0f %% of eligible reads chosen, %.0f %% served by the standby",
                status.shareInForce() * 100,
                status.shareServed() * 100);
    }

    /** For logs. */
    static String oneLine(Status status, String units) {
        StringBuilder words = new StringBuilder(status.phase());
        if (status.paused()) {
            words.append(" (paused)");
        }
        Status.Progress progress = status.progress();
        if (progress.known() && progress.fraction() < 1) {
            words.append(String.format(
                    Locale.ROOT,
                    ", copied %.0f %%%s%s",
                    progress.fraction() * 100,
                    progress.keysPerSecond() > 0
                            ? String.format(Locale.ROOT, " at %,.0f %s/s", progress.keysPerSecond(), units)
                            : "",
                    left(progress)));
        }
        if (status.lagMillis() >= 0) {
            words.append(String.format(Locale.ROOT, ", lag %.0f ms", status.lagMillis()));
        }
        if (status.shareInForce() > 0) {
            words.append(String.format(
                    Locale.ROOT,
                    ", canary %.0f %% chosen %.0f %% served",
                    status.shareInForce() * 100,
                    status.shareServed() * 100));
        }
        return words.toString();
    }
}
