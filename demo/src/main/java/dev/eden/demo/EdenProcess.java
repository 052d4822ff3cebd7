package dev.eden.demo;

import dev.eden.embedded.EmbeddedServerException;
import dev.eden.embedded.ServerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One of Eden's own processes, which may be ended and started again under the same name, on the same port and data. */
public final class EdenProcess implements AutoCloseable {
    private static final int PATIENCE = 9;

    private final String name;
    private final Path failpoints;
    private Supplier<ServerProcess> launcher;
    private BooleanSupplier ready = () -> true;
    private volatile @Nullable ServerProcess process;
    private volatile boolean closed;

    EdenProcess(String name, Path failpoints, Supplier<ServerProcess> launcher) {
        this.name = name;
        this.failpoints = failpoints;
        this.launcher = launcher;
    }

    public String name() {
        return name;
    }

    /** Where its failpoints are planted, if it was started with any. */
    public Path failpoints() {
        return failpoints;
    }

    synchronized void start(BooleanSupplier serves) {
        ready = serves;
        process = launcher.get();
    }

    /** The running process. */
    public ServerProcess process() {
        ServerProcess started = process;
        if (started == null) {
            throw new IllegalStateException(name + " was not started");
        }
        return started;
    }

    /** Returns when it serves. */
    public void awaitReady(Duration atMost) {
        process().awaitReady(atMost, ready);
    }

    /** Kills what still runs and starts again; returns when it serves. */
    public void restart(Duration atMost) {
        synchronized (this) {
            if (closed) {
                return;
            }
            end(process());
            process = launcher.get();
        }
        awaitReady(atMost);
    }

    /** SIGKILL; on a machine with far too much to do the end of a process may take its time. */
    static void end(ServerProcess process) {
        for (int i = 1; ; i++) {
            try {
                process.kill();
                return;
            } catch (EmbeddedServerException slow) {
                if (i == PATIENCE) {
                    throw slow;
                }
            }
        }
    }

    /** Ends the process as an operator does (SIGTERM) and starts another build of it; returns when that serves. */
    void replace(Supplier<ServerProcess> build, Duration atMost) {
        synchronized (this) {
            if (closed) {
                return;
            }
            process().close();
            launcher = build;
            process = launcher.get();
        }
        awaitReady(atMost);
    }

    /** Kills the process and returns when it is gone. */
    public void kill() {
        end(process());
    }

    @Override
    public synchronized void close() {
        closed = true;
        ServerProcess started = process;
        if (started != null) {
            started.close();
        }
    }
}
