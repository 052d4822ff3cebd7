package dev.eden.api.cli;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Reader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a command has around it: streams, environment, whether a person sits there. Tests bring their own.
 *
 * @param output what {@code out} writes to
 * @param interactive standard input and output are a terminal: questions may be asked, lines drawn anew
 * @param console what can be typed unseen at; null: nothing can
 */
public record Terminal(
        Output output,
        PrintWriter out,
        PrintWriter err,
        Reader in,
        boolean interactive,
        @Nullable Console console,
        Map<String, String> environment) {

    public static Terminal of(Writer out, Writer err, Reader in, boolean interactive, Map<String, String> environment) {
        return of(out, err, in, interactive, null, environment);
    }

    private static Terminal of(
            Writer out,
            Writer err,
            Reader in,
            boolean interactive,
            @Nullable Console console,
            Map<String, String> environment) {
        Output output = new Output(out);
        return new Terminal(
                output,
                new PrintWriter(output, true),
                new PrintWriter(err, true),
                in,
                interactive,
                console,
                environment);
    }

    /** The process's own. */
    public static Terminal system() {
        Console console = System.console();
        // System.out would swallow why it can't be written to.
        Writer out = new BufferedWriter(
                new OutputStreamWriter(new FileOutputStream(FileDescriptor.out), StandardCharsets.UTF_8));
        return of(
                out,
                new PrintWriter(System.err, true, StandardCharsets.UTF_8),
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)),
                console != null && console.isTerminal(),
                console,
                System.getenv());
    }

    /** Null where it is not set or blank. */
    @Nullable
    String variable(String name) {
        String value = environment.get(name);
        return value == null || value.isBlank() ? null : value.strip();
    }

    /** As {@link #variable}, but blanks may be part of it; a line's end, which a file or an {@code echo} has left there, is none. */
    @Nullable
    String secret(String name) {
        String value = environment.getOrDefault(name, "").replaceAll("[\\r\\n]+$", "");
        return value.isEmpty() ? null : value;
    }

    /** What was written is out; throws {@link Output.Lost} where nobody takes it. */
    void flush() {
        if (out.checkError()) {
            throw new Output.Lost();
        }
    }

    /** Why nothing can be written to {@code out} any more. */
    Optional<IOException> lost() {
        return out.checkError() ? output.failure() : Optional.empty();
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

    /** What a person types unseen, or the first line of standard input; blanks may be part of it. The question does not mix with the answer of {@code --json}. */
    String secretLine(String question) {
        Console unseen = console;
        if (interactive) {
            err.print(question + ": ");
            err.flush();
            if (unseen != null) {
                char[] typed = unseen.readPassword();
                return typed == null ? "" : new String(typed);
            }
        }
        return raw().replaceAll("\\r$", "");
    }

    /** One line of standard input; empty at its end. */
    String line() {
        return raw().strip();
    }

    private String raw() {
        try {
            StringBuilder line = new StringBuilder();
            for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
                line.append((char) c);
            }
            return line.toString();
        } catch (IOException e) {
            return "";
        }
    }
}
