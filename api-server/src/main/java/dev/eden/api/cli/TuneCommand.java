package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Retunes a running copy: what is named becomes a PATCH of {@code tuning}, the rest stays as it is. */
@Command(
        mixinStandardHelpOptions = true,
        name = "tune",
        description = {
            "Retunes a copy while it runs, in force within two seconds; what is not named stays.",
            "'default' as a value goes back to it."
        },
        footer = {
            "",
            "Examples:",
            "  eden migration tune ec2_to_azure --copy-rate 10MiB --parallelism 2 --reason 'it is noon'",
            "  eden migration tune ec2_to_azure --max-source-latency 5ms",
            "  eden migration tune ec2_to_azure --copy-rate default"
        })
final class TuneCommand implements Callable<Integer> {
    private static final String DEFAULT = "default";
    private static final Pattern SIZE = Pattern.compile("(\\d{1,18})\\s*(|B|kB|KB|KiB|MB|MiB|GB|GiB)(?:/s)?");
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s)?");
    private static final Map<String, Long> UNITS = Map.of(
            "",
            1L,
            "B",
            1L,
            "kB",
            1_000L,
            "KB",
            1_000L,
            "KiB",
            1L << 10,
            "MB",
            1_000_000L,
            "MiB",
            1L << 20,
            "GB",
            1_000_000_000L,
            "GiB",
            1L << 30);

    @Mixin
    @SuppressWarnings("NullAway.Init")
    private ApiOptions api;

    @Parameters(paramLabel = "ID")
    private String id = "";

    @Option(
            names = "--copy-rate",
            paramLabel = "SIZE",
            description = "bytes a second that the full load writes at most, e.g. 10MiB (default: no limit)")
    private @Nullable String copyRate;

    @Option(
            names = "--parallelism",
            paramLabel = "N",
            description = "lanes of the full load, and of a PostgreSQL's validation, 1 to 16")
    private @Nullable String parallelism;

    @Option(
            names = "--batch",
            paramLabel = "N",
            description =
                    "of a Redis: keys per pipeline of the load and changes per transaction of the stream, 1 to 8192")
    private @Nullable String batch;

    @Option(
            names = "--max-source-latency",
            paramLabel = "5ms",
            description = "while the source answers more slowly, the load all but stands still (default: no limit)")
    private @Nullable String maxSourceLatency;

    @Option(names = "--reason", description = "for the audit log")
    private @Nullable String reason;

    @Override
    public Integer call() {
        ObjectNode tuning = Json.mapper().createObjectNode();
        put(tuning, "copy_rate", copyRate, value -> size("--copy-rate", value));
        put(tuning, "parallelism", parallelism, value -> number("--parallelism", value));
        put(tuning, "batch", batch, value -> number("--batch", value));
        put(tuning, "max_source_latency_ms", maxSourceLatency, value -> millis("--max-source-latency", value));
        if (tuning.isEmpty()) {
            throw new CliFailure(
                    ExitCode.USAGE,
                    "nothing is said to change",
                    "give --copy-rate, --parallelism, --batch or --max-source-latency; what is in force: "
                            + api.where().in(NextCommand.command("status", id) + " --json"));
        }
        ObjectNode body = Json.mapper().createObjectNode();
        body.set("tuning", tuning);
        if (reason != null) {
            body.put("reason", reason);
        }
        JsonNode status = api.client().call("PATCH", ApiClient.path("migrations", id), Json.write(body));
        return api.show(
                status,
                page -> {
                    page.title("The copy of " + id + " from now on");
                    JsonNode set = status.path("tuning");
                    page.table(table(set), "");
                },
                NextCommand.command("watch", id));
    }

    private static Table table(JsonNode set) {
        Table table = Table.of("SETTING", "VALUE");
        table.row("copy rate", value(set.path("copy_rate"), " bytes/s", "no limit"));
        table.row("parallelism", value(set.path("parallelism"), "", DEFAULT));
        table.row("batch", value(set.path("batch"), "", DEFAULT));
        table.row("max source latency", value(set.path("max_source_latency_ms"), " ms", "no limit"));
        return table;
    }

    private static String value(JsonNode set, String unit, String otherwise) {
        return set.isNumber() ? String.format(java.util.Locale.ROOT, "%,d%s", set.asLong(), unit) : otherwise;
    }

    private interface Reader {
        long read(String value);
    }

    private static void put(ObjectNode tuning, String name, @Nullable String value, Reader reader) {
        if (value == null) {
            return;
        }
        if (value.equals(DEFAULT)) {
            tuning.putNull(name);
        } else {
            tuning.put(name, reader.read(value));
        }
    }

    private static long number(String option, String value) {
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new CliFailure(ExitCode.USAGE, option + " " + value + " is no number", "for example 4, or default");
        }
    }

    private static long size(String option, String value) {
        Matcher size = SIZE.matcher(value);
        Long unit = size.matches() ? UNITS.get(size.group(2)) : null;
        if (unit != null) {
            try {
                return Math.multiplyExact(Long.parseLong(size.group(1)), unit);
            } catch (ArithmeticException e) {
                // said below
            }
        }
        throw new CliFailure(
                ExitCode.USAGE,
                option + " " + value + " is no size",
                "for example 10MiB, 500KiB or 1048576, or default");
    }

    private static long millis(String option, String value) {
        Matcher duration = DURATION.matcher(value);
        if (!duration.matches()) {
            throw new CliFailure(
                    ExitCode.USAGE, option + " " + value + " is no duration", "for example 5ms, or default");
        }
        return Long.parseLong(duration.group(1)) * ("s".equals(duration.group(2)) ? 1_000 : 1);
    }
}
