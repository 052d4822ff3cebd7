package dev.eden.api.cli;

import java.io.StringReader;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A command line of its own: what is typed, what is seen, a home that nobody else has. */
public final class FakeTerminal {
    private final Map<String, String> environment = new HashMap<>();

    public FakeTerminal(Path home) {
        environment.put("HOME", home.toString());
    }

    /** What a command has left. */
    public record Result(int code, String out, String err) {
        /** The last line that says something. */
        public String lastLine() {
            return out.strip().lines().reduce("", (_, line) -> line);
        }
    }

    public FakeTerminal with(String variable, String value) {
        environment.put(variable, value);
        return this;
    }

    /** As in a script. */
    public Result run(String... arguments) {
        return run(false, "", arguments);
    }

    /** As a person at a terminal who types {@code input}. */
    public Result typing(String input, String... arguments) {
        return run(true, input, arguments);
    }

    /** As in a script whose standard input is {@code input}. */
    public Result piping(String input, String... arguments) {
        return run(false, input, arguments);
    }

    private Result run(boolean interactive, String input, String... arguments) {
        StringWriter out = new StringWriter();
        return run(interactive, out, input, arguments);
    }

    /** As in a script whose output goes there; the result has none of it. */
    Result writing(Writer out, String... arguments) {
        return run(false, out, "", arguments);
    }

    private Result run(boolean interactive, Writer out, String input, String... arguments) {
        StringWriter err = new StringWriter();
        int code = EdenCommand.run(
                Terminal.of(out, err, new StringReader(input), interactive, Map.copyOf(environment)), arguments);
        return new Result(code, out.toString(), err.toString());
    }
}
