package dev.eden.demo.history;

import java.util.List;

/**
 * What one listener heard, in order.
 *
 * @param since when its LISTEN had been answered, in microseconds since the history began
 * @param deaf times without a connection, each from the last that was heard over the one before
 * @param tokens of the notifications
 */
public record Heard(String listener, long since, List<History.Window> deaf, List<Long> tokens) {
    public Heard {
        deaf = List.copyOf(deaf);
        tokens = List.copyOf(tokens);
    }
}
