package dev.eden.demo;

import java.io.Console;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What standard output can show.
 *
 * @param live whether lines may be redrawn in place
 * @param colour whether colours may be used ({@code NO_COLOR} forbids them, see no-color.org)
 */
record Terminal(boolean live, boolean colour, int width) {
    private static final int DEFAULT_WIDTH = 80;
    private static final int NARROWEST = 20;

    static Terminal ofThisProcess(boolean json) {
        Console console = System.console();
        Map<String, String> environment = System.getenv();
        boolean terminal =
                console != null && console.isTerminal() && !"dumb".equals(environment.getOrDefault("TERM", "dumb"));
        boolean live = terminal && !json;
        return new Terminal(
                live,
                live && environment.getOrDefault("NO_COLOR", "").isEmpty(),
                live ? Math.max(NARROWEST, measure()) : DEFAULT_WIDTH);
    }

    private static int measure() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(ProcessBuilder.Redirect.INHERIT)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String size = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
            if (stty.waitFor(1, TimeUnit.SECONDS) && size.matches("\\d+ \\d+")) {
                int columns = Integer.parseInt(size.substring(size.indexOf(' ') + 1));
                return columns > 0 ? columns : DEFAULT_WIDTH;
            }
        } catch (IOException noStty) {
            return DEFAULT_WIDTH;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return DEFAULT_WIDTH;
    }

    String bold(String text) {
        return colour ? "\u001b[1m" + text + "\u001b[0m" : text;
    }

    String red(String text) {
        return colour ? "\u001b[31m" + text + "\u001b[0m" : text;
    }

    String green(String text) {
        return colour ? "\u001b[32m" + text + "\u001b[0m" : text;
    }

    /** Cuts to the width, so that a line stays one line; colours take no room and are closed. */
    String fit(String line) {
        StringBuilder kept = new StringBuilder();
        int shown = 0;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '\u001b') {
                int end = line.indexOf('m', i);
                kept.append(line, i, end + 1);
                i = end;
            } else if (shown < width - 1) {
                kept.append(c);
                shown++;
            }
        }
        return kept.toString();
    }
}
