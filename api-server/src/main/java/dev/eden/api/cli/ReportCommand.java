package dev.eden.api.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What happened in a migration, as a document: nothing else is printed, so that it can be piped. */
@Command(
        mixinStandardHelpOptions = true,
        name = "report",
        description = {
            "What happened, and the forecast against the outcome, as Markdown; with --json for programs.",
            "At any time, also after its end."
        },
        footer = {
            "",
            "Examples:",
            "  eden migration report ec2_to_azure",
            "  eden migration report ec2_to_azure --output report.md",
            "  eden migration report ec2_to_azure --json --output report.json"
        })
final class ReportCommand implements Callable<Integer> {
    @Mixin
    @SuppressWarnings("NullAway.Init")
    private ApiOptions api;

    @Parameters(paramLabel = "ID")
    private String id = "";

    @Option(names = "--output", paramLabel = "FILE", description = "writes it there; what was there is replaced")
    private @Nullable Path output;

    @Override
    public Integer call() {
        String path = ApiClient.path("migrations", id, "report");
        String document = api.json()
                ? api.client().get(path).toPrettyString() + "\n"
                : api.client().text(path, "text/markdown");
        Path file = output;
        if (file == null) {
            api.terminal().out().print(document);
        } else {
            write(file, document);
            if (!api.json()) {
                api.terminal().out().println("the report is in " + file);
            }
        }
        if (!api.json() && (file != null || api.terminal().interactive())) {
            new Page(api.terminal()).next(api.where().in(NextCommand.command("events", id)));
        }
        api.terminal().out().flush();
        return ExitCode.DONE.code();
    }

    private static void write(Path file, String document) {
        try {
            Files.writeString(file, document);
        } catch (IOException e) {
            throw new CliFailure(
                    ExitCode.FAILED,
                    "the file " + file + " can't be written",
                    "name one in a folder that you can write");
        }
    }
}
