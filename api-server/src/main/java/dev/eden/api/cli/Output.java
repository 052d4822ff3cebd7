package dev.eden.api.cli;

import java.io.IOException;
import java.io.Writer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Remembers why it can't be written to any more: the writer for lines around it keeps only that it can't. */
final class Output extends Writer {
    private final Writer to;
    private volatile @Nullable IOException failure;

    Output(Writer to) {
        this.to = to;
    }

    /** A command that looks at something on and on ends with this: nobody takes what it says. */
    static final class Lost extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    Optional<IOException> failure() {
        return Optional.ofNullable(failure);
    }

    @Override
    public void write(char[] text, int from, int length) throws IOException {
        try {
            to.write(text, from, length);
        } catch (IOException e) {
            throw remembered(e);
        }
    }

    @Override
    public void flush() throws IOException {
        try {
            to.flush();
        } catch (IOException e) {
            throw remembered(e);
        }
    }

    @Override
    public void close() throws IOException {
        to.close();
    }

    private IOException remembered(IOException e) {
        failure = e;
        return e;
    }
}
