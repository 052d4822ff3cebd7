package dev.eden.workflows;

import dev.eden.workflows.Command.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Commands that were received and not yet obeyed, and the ids of those that were received before. */
final class CommandInbox {
    /** Enough for every retry a client may still send; bounded because it travels through continue-as-new. */
    static final int REMEMBERED = 1_000;

    private final Deque<Command> pending = new ArrayDeque<>();
    private final LinkedHashSet<String> seen = new LinkedHashSet<>();
    private @Nullable Command leading;

    CommandInbox(List<Command> pending, List<String> seen) {
        this.pending.addAll(pending);
        this.seen.addAll(seen);
    }

    /**
     * People who type a command into the Temporal CLI or Web UI may leave out what the REST interface always gives; the name
     * of the update or signal decides the kind. A command without an id is a new one each time.
     */
    static Command complete(Kind kind, @Nullable Command received) {
        if (received == null) {
            return new Command(kind, "", "temporal", "", null);
        }
        return new Command(
                        kind,
                        orElse(received.id(), ""),
                        orElse(received.actor(), "temporal"),
                        orElse(received.reason(), ""),
                        received.strategy(),
                        received.emptyTarget())
                .naming(received.shareNamed(), received.termsNamed())
                .meantFor(received.phase())
                .askedBy(received.asker().checked());
    }

    boolean knows(String id) {
        return !id.isEmpty() && seen.contains(id);
    }

    /** False where the id was received before: nothing is queued. */
    boolean receive(Command command) {
        if (knows(command.id())) {
            return false;
        }
        if (!command.id().isEmpty()) {
            seen.add(command.id());
            Iterator<String> oldest = seen.iterator();
            while (seen.size() > REMEMBERED) {
                oldest.next();
                oldest.remove();
            }
        }
        pending.add(command);
        return true;
    }

    /** It was obeyed and ends the phase, which may still wait for what it had begun. */
    void leads(Command command) {
        leading = command;
    }

    /** The phase is another. */
    void arrived() {
        leading = null;
    }

    /** What a further command is judged after, oldest first. */
    List<Command> ahead() {
        List<Command> ahead = new ArrayList<>(pending);
        if (leading != null) {
            ahead.addFirst(leading);
        }
        return ahead;
    }

    @Nullable
    Command poll() {
        return pending.poll();
    }

    boolean isEmpty() {
        return pending.isEmpty();
    }

    List<Command> pending() {
        return List.copyOf(pending);
    }

    List<String> seen() {
        return List.copyOf(seen);
    }

    private static String orElse(@Nullable String value, String other) {
        return value == null ? other : value;
    }
}
