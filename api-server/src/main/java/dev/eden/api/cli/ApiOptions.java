package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.proxy.Authorities;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What every client verb takes: which server, which token, and whether the answer is for a program. */
final class ApiOptions {
    private static final String LOCAL = "http://127.0.0.1:8000";
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}\\x{80}-\\x{9f}\\x{2028}\\x{2029}]+");

    private final Terminal terminal;

    @Option(
            names = "--context",
            paramLabel = "NAME",
            description = "a server of 'eden context list' (EDEN_CONTEXT; default: the one in use)")
    private @Nullable String context;

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "the server itself (EDEN_URL; default: the context's, else " + LOCAL
                    + "); the token is then --token-file or EDEN_TOKEN")
    private @Nullable String url;

    @Option(names = "--token-file", paramLabel = "FILE", description = "holds the token (EDEN_TOKEN_FILE)")
    private @Nullable Path tokenFile;

    @Option(
            names = "--tls-ca-file",
            paramLabel = "FILE",
            description = "authorities (PEM) of the server's certificate, beside those of the JDK (EDEN_TLS_CA_FILE)")
    private @Nullable Path authorities;

    @Option(names = "--json", description = "prints the server's JSON and nothing else")
    private boolean json;

    ApiOptions(Terminal terminal) {
        this.terminal = terminal;
    }

    Terminal terminal() {
        return terminal;
    }

    boolean json() {
        return json;
    }

    /** {@code --url} as it was given; null where it was not. */
    @Nullable
    String givenUrl() {
        return url;
    }

    /** {@code --token-file} as it was given; null where it was not. */
    @Nullable
    Path givenTokenFile() {
        return tokenFile;
    }

    /** {@code --tls-ca-file} as it was given; null where it was not. */
    @Nullable
    Path givenAuthorities() {
        return authorities;
    }

    /** What was said here of the server and its token. */
    Where where() {
        Where where = context == null ? Where.DEFAULT : Where.DEFAULT.with("--context", context);
        where = url == null ? where : where.with("--url", url);
        where = tokenFile == null ? where : where.with("--token-file", tokenFile.toString());
        return authorities == null ? where : where.with("--tls-ca-file", authorities.toString());
    }

    /**
     * @param name of the context that leads here; null: none does
     * @param context with what is for this server
     */
    private record Chosen(String url, @Nullable String name, Contexts.@Nullable Context context) {}

    /** The server in words. */
    String server() {
        Chosen chosen = chosen();
        return chosen.url() + (chosen.name() == null ? "" : " (context " + chosen.name() + ")");
    }

    ApiClient client() {
        Chosen chosen = chosen();
        trust(chosen);
        return new ApiClient(chosen.url(), () -> token(chosen.context(), context != null), where());
    }

    /** Before the first connection. Where the authorities are said counts as for the token. */
    private void trust(Chosen chosen) {
        String ofContext = chosen.context() == null ? null : chosen.context().caFile();
        String variable = terminal.variable("EDEN_TLS_CA_FILE");
        String file = authorities != null
                ? authorities.toString()
                : ofContext != null && (context != null || variable == null) ? ofContext : variable;
        if (file == null || !chosen.url().startsWith("https:")) {
            return;
        }
        try {
            Authorities.trust(Path.of(file));
        } catch (Authorities.UnusableException e) {
            throw new CliFailure(
                    ExitCode.USAGE,
                    "the authorities' file " + e.getMessage(),
                    "name a PEM file: --tls-ca-file, EDEN_TLS_CA_FILE, or in the context");
        }
    }

    /**
     * What was said here wins over the environment, the environment over the context in use; of two that were said in the same place,
     * the one that names the thing itself. What a context has of its server goes to that server only.
     */
    private Chosen chosen() {
        Contexts contexts = Contexts.load(terminal);
        boolean chosenHere = context != null;
        String variable = terminal.variable("EDEN_URL");
        String givenUrl = url != null ? url : chosenHere ? null : variable;
        String name = chosenHere ? context : terminal.variable("EDEN_CONTEXT");
        if (name == null && givenUrl == null) {
            name = contexts.current().orElse(null);
        }
        Contexts.Context chosen = name == null ? null : contexts.get(name);
        String base = givenUrl != null ? givenUrl : chosen != null ? chosen.url() : LOCAL;
        boolean contextsServer = chosen != null && base.equals(chosen.url());
        return new Chosen(base, contextsServer ? name : null, contextsServer ? chosen : null);
    }

    /** {@code chosenHere}: by {@code --context}, which then wins over the environment. */
    private String token(Contexts.@Nullable Context chosen, boolean chosenHere) {
        Path file = tokenFile;
        if (file != null) {
            return read(file);
        }
        String kept = chosen != null && chosenHere ? token(chosen) : null;
        if (kept != null) {
            return kept;
        }
        String given = terminal.variable("EDEN_TOKEN");
        if (given != null) {
            return given;
        }
        String givenFile = terminal.variable("EDEN_TOKEN_FILE");
        if (givenFile != null) {
            return read(Path.of(givenFile));
        }
        String inUse = chosen == null ? null : token(chosen);
        if (inUse != null) {
            return inUse;
        }
        throw new CliFailure(
                ExitCode.NOT_ALLOWED,
                "there is no token",
                "set EDEN_TOKEN, or make a context: eden context add NAME --url URL --token-file FILE");
    }

    /** What a context says of its token; null where it leaves that to the environment. */
    private @Nullable String token(Contexts.Context chosen) {
        String inFile = chosen.tokenFile();
        String inVariable = chosen.tokenEnv();
        if (inFile != null) {
            return read(Path.of(inFile));
        }
        if (inVariable != null) {
            String value = terminal.variable(inVariable);
            if (value == null) {
                throw new CliFailure(
                        ExitCode.NOT_ALLOWED, "the context's variable " + inVariable + " is not set", "export it");
            }
            return value;
        }
        return chosen.token();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new CliFailure(
                    ExitCode.NOT_ALLOWED, "the token file " + file + " can't be read", "name a file that you can read");
        }
    }

    /** Shows an answer: as it is with {@code --json}, else as {@code text} says; then the next sensible command. */
    int show(JsonNode answer, Consumer<Page> text, @Nullable String next) {
        if (json) {
            terminal.out().println(answer.isMissingNode() ? "{}" : answer.toPrettyString());
        } else {
            Page page = new Page(terminal);
            text.accept(page);
            if (next != null) {
                page.next(where().in(next));
            }
        }
        terminal.out().flush();
        return ExitCode.DONE.code();
    }

    /** A table of an array's members: column title to field. */
    static Table table(JsonNode array, Map<String, String> columns) {
        Table table = Table.of(columns.keySet().toArray(String[]::new));
        for (JsonNode element : array) {
            table.row(columns.values().stream()
                    .map(field -> cell(element.at("/" + field.replace('.', '/'))))
                    .toArray(String[]::new));
        }
        return table;
    }

    static String cell(JsonNode value) {
        if (value.isMissingNode() || value.isNull()) {
            return "-";
        }
        if (value.isArray()) {
            List<String> parts = new java.util.ArrayList<>();
            value.forEach(part -> parts.add(cell(part)));
            return parts.isEmpty() ? "-" : String.join(", ", parts);
        }
        if (value.isObject()) {
            List<String> parts = new java.util.ArrayList<>();
            value.properties().forEach(e -> parts.add(e.getKey() + "=" + cell(e.getValue())));
            return parts.isEmpty() ? "-" : String.join(",", parts);
        }
        return line(value.asText());
    }

    /** A text of somebody's without line breaks, nor anything else that a terminal would obey. */
    static String line(String text) {
        return CONTROL.matcher(text).replaceAll(" ");
    }
}
