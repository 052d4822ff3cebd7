package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** One readable answer on a terminal. */
final class Page {
    static final int LABEL = 11;

    private final Terminal terminal;

    Page(Terminal terminal) {
        this.terminal = terminal;
    }

    boolean coloured() {
        return terminal.coloured();
    }

    void line(String text) {
        terminal.out().println(text);
    }

    /** For people: within the terminal. What a program reads is not broken. */
    void wrapped(String labelled) {
        (terminal.interactive() ? Wrapped.lines(labelled, LABEL) : List.of(labelled)).forEach(this::line);
    }

    void title(String text) {
        line(Style.BOLD.of(text, coloured()));
    }

    /** {@code label      text}; nothing where there is no text. */
    void field(String label, String text) {
        if (!text.isEmpty()) {
            wrapped(labelled(label, text, coloured()));
        }
    }

    static String labelled(String label, String text, boolean coloured) {
        return Style.DIM.of(label, coloured) + " ".repeat(Math.max(1, LABEL - label.length())) + text;
    }

    /** {@code empty} is said where the table has no rows. */
    void table(Table table, String empty) {
        if (table.isEmpty()) {
            line(empty);
            return;
        }
        boolean head = true;
        for (String row : table.lines()) {
            line(head ? Style.DIM.of(row, coloured()) : row);
            head = false;
        }
    }

    /** Every member that is a plain value, one a line. */
    void members(JsonNode object) {
        int width = object.properties().stream()
                .mapToInt(member -> member.getKey().length())
                .max()
                .orElse(0);
        object.properties().forEach(member -> {
            if (member.getValue().isObject() && !member.getValue().isEmpty()) {
                line(Style.DIM.of(member.getKey(), coloured()));
                member.getValue()
                        .properties()
                        .forEach(inner -> line("  " + inner.getKey() + ": " + ApiOptions.cell(inner.getValue())));
            } else {
                line(Style.DIM.of(member.getKey(), coloured())
                        + " ".repeat(width - member.getKey().length() + 2)
                        + ApiOptions.cell(member.getValue()));
            }
        });
    }

    void next(String command) {
        line("");
        line(Style.DIM.of("next: ", coloured()) + Style.CYAN.of(command, coloured()));
    }
}
