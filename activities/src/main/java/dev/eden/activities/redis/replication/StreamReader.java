package dev.eden.activities.redis.replication;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns a link's commands into {@linkplain Unit units} and keeps the log's selected database. Survives the link: after a cut the next link
 * starts at {@link #offset} and a half-read transaction is read again. One thread.
 */
final class StreamReader {
    private final StreamEffects effects;
    private long offset;
    private int database;

    StreamReader(StreamEffects effects, long offset, int database) {
        this.effects = effects;
        this.offset = offset;
        this.database = database;
    }

    /** Offset after the last whole unit. */
    long offset() {
        return offset;
    }

    /** The next unit; blocks. */
    Unit next(ReplicaLink link) throws IOException {
        long before = offset;
        int selected = database;
        List<Change> changes = new ArrayList<>(1);
        List<StreamCommand> commands = new ArrayList<>(1);
        List<Integer> databases = new ArrayList<>(1);
        boolean transaction = false;
        while (true) {
            StreamCommand command = link.next();
            switch (command.name) {
                case "MULTI" -> transaction = true;
                case "EXEC" -> transaction = false;
                case "SELECT" ->
                    selected = Integer.parseInt(new String(command.argument(1), StandardCharsets.US_ASCII));
                default -> {
                    commands.add(command);
                    databases.add(selected);
                }
            }
            // A SELECT alone is no unit: a position between it and its command would be one without its database.
            if (!transaction && !command.name.equals("SELECT")) {
                break;
            }
        }
        for (int i = 0; i < commands.size(); i++) {
            changes.add(effects.classify(commands.get(i), databases.get(i)));
        }
        offset = link.offset();
        database = selected;
        return new Unit(changes, offset, selected, offset - before);
    }
}
