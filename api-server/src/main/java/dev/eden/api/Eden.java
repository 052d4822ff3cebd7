package dev.eden.api;

import dev.eden.api.cli.EdenCommand;
import dev.eden.embedded.ClassArchive;

/** The binary: {@code eden VERB …}. */
public final class Eden {
    private Eden() {}

    public static void main(String[] arguments) {
        int exitCode = EdenCommand.run(arguments);
        ClassArchive.createFromNotes();
        System.exit(exitCode);
    }
}
