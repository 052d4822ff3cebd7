package dev.eden.api.cli;

import java.io.IOException;
import java.io.Writer;

/** Takes nothing that is written to it, as a pipe without a reader or a full disk does. */
final class Unwritable extends Writer {
    private final String why;

    Unwritable(String why) {
        this.why = why;
    }

    @Override
    public void write(char[] text, int from, int length) throws IOException {
        throw new IOException(why);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
}
