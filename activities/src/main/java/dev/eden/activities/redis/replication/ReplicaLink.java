package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.Endpoint;
import dev.eden.proxy.Backend;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A connection on which a server takes us for its replica (https://redis.io/docs/latest/operate/oss_and_stack/management/replication/
 * and Redis source, replication.c). One thread reads; {@link #acknowledge} and {@link #close} may be called by others.
 */
final class ReplicaLink implements AutoCloseable {
    /** Longer than {@code repl-ping-replica-period} (default 10 s) by far: a healthy server is never this silent. */
    private static final Duration SILENCE = Duration.ofSeconds(60);

    private static final int MAX_COMMAND = Integer.MAX_VALUE - 64;

    private final RespConnection connection;
    private final StreamInput in;
    private final ReentrantLock sending = new ReentrantLock();
    private long offsetBase;
    private String replid = "";

    private ReplicaLink(RespConnection connection) {
        this.connection = connection;
        this.in = new StreamInput(connection.input());
    }

    /** How the server answered PSYNC. */
    sealed interface Start {
        /** An RDB follows, of the state at {@code offset}. */
        record Full(String replid, long offset) implements Start {}

        /** The stream goes on where it was asked to; the id may be a new one after a failover. */
        record Partial(String replid) implements Start {}
    }

    static ReplicaLink connect(Endpoint endpoint, Backend.Login login, String name) {
        RespConnection connection = RespConnection.connect(endpoint, login, name, Duration.ofSeconds(10));
        try {
            connection.call("REPLCONF", "listening-port", endpoint.port());
            connection.call("REPLCONF", "capa", "eof", "capa", "psync2");
            connection.timeout(SILENCE);
            return new ReplicaLink(connection);
        } catch (RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    /** Asks for the stream after {@code offset}, or for everything when {@code wanted} is null. */
    Start psync(@Nullable String wanted, long offset) throws IOException {
        requestPsync(wanted, offset);
        String line = lineAfterKeepAlives();
        String[] words = line.split(" ", -1);
        switch (words[0]) {
            case "+FULLRESYNC" -> {
                replid = words[1];
                return new Start.Full(words[1], Long.parseLong(words[2]));
            }
            case "+CONTINUE" -> {
                replid = words.length > 1 ? words[1] : String.valueOf(wanted);
                streamFrom(offset);
                return new Start.Partial(replid);
            }
            default -> throw new RedisException(line.startsWith("-") ? line.substring(1) : "unexpected: " + line);
        }
    }

    /** Sends PSYNC and reads nothing. */
    void requestPsync(@Nullable String wanted, long offset) {
        connection.send("PSYNC", wanted == null ? "?" : wanted, wanted == null ? -1L : offset + 1);
        connection.flush();
    }

    String replid() {
        return replid;
    }

    /** Reads the RDB after a {@link Start.Full}; afterwards the stream begins at its offset. */
    void readRdb(RdbHandler handler, int maxValueBytes, long offset) throws IOException {
        String header = lineAfterKeepAlives();
        if (!header.startsWith("$")) {
            throw new IOException("an RDB was announced, but the server sent " + header);
        }
        long before = in.consumed();
        new RdbParser(in, handler, maxValueBytes).parse();
        if (header.startsWith("$EOF:")) {
            String mark = header.substring(5);
            if (!mark.equals(new String(in.readBytes(mark.length()), java.nio.charset.StandardCharsets.US_ASCII))) {
                throw new IOException("the RDB does not end in its mark");
            }
        } else if (in.consumed() - before != Long.parseLong(header.substring(1))) {
            throw new RdbException("the RDB's length is not the announced one");
        }
        streamFrom(offset);
    }

    /** Offset of the last byte read. */
    long offset() {
        return offsetBase + in.consumed();
    }

    /** The next command; blocks. */
    StreamCommand next() throws IOException {
        int type = in.readByte();
        while (type == '\n') {
            type = in.readByte();
        }
        if (type != '*') {
            throw new IOException("not a command of a replication stream: byte " + type);
        }
        // The mark is one byte late; the star is put back in front when the command is copied out.
        in.mark(MAX_COMMAND);
        int count = Math.toIntExact(in.readNumberLine());
        int[] spans = new int[2 * count];
        for (int i = 0; i < count; i++) {
            if (in.readByte() != '$') {
                throw new IOException("not an argument of a replication stream");
            }
            int length = Math.toIntExact(in.readNumberLine());
            spans[2 * i] = in.position() - in.markPosition() + 1;
            spans[2 * i + 1] = length;
            in.skip(length + 2L);
        }
        int length = in.position() - in.markPosition();
        byte[] raw = new byte[length + 1];
        raw[0] = '*';
        System.arraycopy(in.buffer(), in.markPosition(), raw, 1, length);
        in.release();
        return new StreamCommand(raw, spans);
    }

    /** Tells the server how far we are; also what makes it begin the stream after a diskless RDB. */
    void acknowledge(long offset) {
        sending.lock();
        try {
            connection.send("REPLCONF", "ACK", offset);
            connection.flush();
        } finally {
            sending.unlock();
        }
    }

    @Override
    public void close() {
        connection.close();
    }

    private void streamFrom(long offset) {
        offsetBase = offset - in.consumed();
    }

    /** Newlines are the server's keep-alive while it makes an RDB. */
    private String lineAfterKeepAlives() throws IOException {
        int first = in.readByte();
        while (first == '\n') {
            first = in.readByte();
        }
        return (char) first + in.readLine();
    }
}
