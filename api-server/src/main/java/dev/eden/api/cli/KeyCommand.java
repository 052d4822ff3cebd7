package dev.eden.api.cli;

import dev.eden.api.EdenStore;
import dev.eden.api.config.Setting;
import dev.eden.api.json.Json;
import dev.eden.api.problem.StartupException;
import dev.eden.api.store.KeyRotation;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jdbi.v3.core.JdbiException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code eden key …}: on the store itself, with the settings of a server. Their flags: {@link SettingOptions}. */
@Command(
        mixinStandardHelpOptions = true,
        name = "key",
        description = "The key that encrypts what is secret in Eden's store.",
        subcommands = {KeyCommand.Status.class, KeyCommand.Rotate.class},
        footer = {
            "",
            "Examples, where EDEN_ENCRYPTION_KEY or the key file holds the new key and then the former one:",
            "  eden key status",
            "  eden key rotate",
            "The whole way, server by server, is in docs/operating.md."
        })
final class KeyCommand extends Group {
    private static final int POOL = 2;

    @Command(
            mixinStandardHelpOptions = true,
            name = "status",
            description = {
                "Says how much of the store is sealed with which key; changes nothing.",
                "Exit code 0: all of it with the first key, so that former ones can go. Exit code 1: not yet."
            },
            footer = {"", "Example:", "  eden key status --database-url postgresql://eden@db/eden"})
    static final class Status implements Callable<Integer> {
        private final Terminal terminal;

        @Option(names = "--json", description = "prints one JSON document and nothing else")
        private boolean json;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        Status(Terminal terminal) {
            this.terminal = terminal;
        }

        @Override
        public Integer call() {
            List<KeyRotation.Count> counts = asked(spec, terminal, KeyRotation::counts);
            boolean done = counts.stream()
                    .allMatch(count -> count.former() == 0 && count.unreadable().isEmpty());
            if (json) {
                terminal.out().println(Json.write(Map.of("all_with_first_key", done, "values", counts)));
            } else {
                show(counts, done);
            }
            terminal.out().flush();
            return done ? ExitCode.DONE.code() : ExitCode.FAILED.code();
        }

        private void show(List<KeyRotation.Count> counts, boolean done) {
            Table table = Table.of("WHAT", "FIRST KEY", "FORMER KEY", "NO KEY GIVEN");
            counts.forEach(count -> table.row(
                    count.place(),
                    String.valueOf(count.current()),
                    String.valueOf(count.former()),
                    String.valueOf(count.unreadable().size())));
            Page page = new Page(terminal);
            page.table(table, "Nothing is sealed.");
            if (!done) {
                page.next("eden key rotate");
            }
        }
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "rotate",
            description = {
                "Seals everything in the store with the first key; the keys given must open all of it.",
                "Servers and proxies may run; they must have been given both keys. What is interrupted goes on with the next run. It is in the"
                        + " audit log."
            },
            footer = {"", "Example:", "  eden key rotate --config /etc/eden/eden.yaml"})
    static final class Rotate implements Callable<Integer> {
        private final Terminal terminal;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        Rotate(Terminal terminal) {
            this.terminal = terminal;
        }

        @Override
        public Integer call() {
            String user = terminal.variable("USER");
            Map<String, Integer> sealed =
                    asked(spec, terminal, keys -> keys.rotate(user == null ? "operator" : "operator " + user));
            Page page = new Page(terminal);
            sealed.forEach((what, values) -> page.line("sealed anew: " + values + " of " + what));
            if (sealed.isEmpty()) {
                page.line("Everything is sealed with the first key already.");
            }
            page.next("eden key status");
            terminal.out().flush();
            return ExitCode.DONE.code();
        }
    }

    private static <T> T asked(CommandSpec spec, Terminal terminal, Function<KeyRotation, T> question) {
        EdenStore.Settings settings =
                SettingOptions.store(SettingOptions.read(spec, Setting.Verb.STORE, terminal), POOL);
        try (EdenStore store = EdenStore.open(settings, false)) {
            return question.apply(store.keys());
        } catch (JdbiException e) {
            Throwable cause = e;
            while (cause.getCause() != null && !(cause instanceof SQLException)) {
                cause = cause.getCause();
            }
            // A statement's own message has its values, sealed as they are.
            String said = cause instanceof SQLException sql
                    ? String.valueOf(sql.getMessage()).lines().findFirst().orElse("")
                    : e.getClass().getSimpleName();
            throw new StartupException(
                    "Eden's database did not go on: " + said, "run it again: what was sealed anew stays so");
        }
    }
}
