package dev.eden.api.cli;

import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a command has around it: streams, environment, whether a person sits there. Tests bring their own.
 *
 * @param interactive standard input and output are a terminal: questions may be asked, lines drawn anew
 */
public record Terminal(
        PrintWriter out, PrintWriter err, Reader in, boolean interactive, Map<String, String> environment) {

    /** The process's own. */
    public static Terminal system() {
        Console console = System.console();
        return new Terminal(
                new PrintWriter(System.out, true, StandardCharsets.UTF_8),
                new PrintWriter(System.err, true, StandardCharsets.UTF_8),
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)),
                console != null && console.isTerminal(),
                System.getenv());
    }

    /** Null where it is not set or blank. */
    @Nullable
    String variable(String name) {
        String value = environment.get(name);
        return value == null || value.isBlank() ? null : value.strip();
    }

    /** Colour is for people at a terminal who have not said otherwise (no-color.org). */
    boolean coloured() {
        return interactive && variable("NO_COLOR") == null && !"dumb".equals(variable("TERM"));
    }

    /** {@code $XDG_CONFIG_HOME/eden} or {@code ~/.config/eden}. */
    Path configDirectory() {
        String given = variable("XDG_CONFIG_HOME");
        return given != null ? Path.of(given, "eden") : Path.of(home(), ".config", "eden");
    }

    private String home() {
        String home = variable("HOME");
        return home != null ? home : System.getProperty("user.home");
    }

    /** One line of standard input; empty at its end. */
    String line() {
        try {
            StringBuilder line = new StringBuilder();
            for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
                line.append((char) c);
            }
            return line.toString().strip();
        } catch (IOException e) {
            return "";
        }
    }
}
