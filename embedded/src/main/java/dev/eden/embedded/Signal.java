package dev.eden.embedded;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/**
 * The POSIX signals the embedded servers are driven with, sent by {@code kill(2)} in this process: a fault injector wants
 * the signal to arrive within microseconds of its decision, not after a fork and an exec of {@code /bin/kill}.
 */
enum Signal {
    INT(2, 2),
    QUIT(3, 3),
    KILL(9, 9),
    TERM(15, 15),
    STOP(19, 17),
    CONT(18, 19);

    private static final boolean MAC =
            System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("mac");
    private static final MethodHandle KILL_FUNCTION = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("kill"),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private final int linux;
    private final int mac;

    Signal(int linux, int mac) {
        this.linux = linux;
        this.mac = mac;
    }

    /** Sends this signal; a process that is already gone is not an error. */
    void send(long pid) {
        if (pid <= 1) {
            throw new IllegalArgumentException("refusing to signal pid " + pid);
        }
        try {
            int ignored = (int) KILL_FUNCTION.invokeExact(Math.toIntExact(pid), MAC ? mac : linux);
        } catch (Throwable e) {
            throw new IllegalStateException("kill(" + pid + ", " + this + ") could not be called", e);
        }
    }
}
