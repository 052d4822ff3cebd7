package dev.eden.api;

import dev.eden.api.cli.EdenCommand;

/** The binary: {@code eden VERB …}. */
public final class Eden {
    private Eden() {}

    public static void main(String[] arguments) {
        System.exit(EdenCommand.run(arguments));
    }
}
