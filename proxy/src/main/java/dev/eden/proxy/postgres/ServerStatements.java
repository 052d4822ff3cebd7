package dev.eden.proxy.postgres;

import dev.eden.proxy.postgres.Expectations.Kind;
import io.netty.buffer.ByteBuf;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The statements that one connection to a server has: named ones by their content, the least recently used first to go, and the unnamed one. */
final class ServerStatements {
    private final ServerConnection server;
    private final int most;
    private final LinkedHashMap<Prepared, Integer> named = new LinkedHashMap<>(16, 0.75f, true);

    /** What an unnamed Parse has left there; null: nothing that is known. */
    @Nullable
    Prepared unnamed;

    ServerStatements(ServerConnection server, int most) {
        this.server = server;
        this.most = most;
    }

    /** What an expectation's statement drops of those that are prepared. */
    sealed interface Dropping {
        record All() implements Dropping {}

        record One(ClientStatements.Entry entry) implements Dropping {}
    }

    static final Dropping ALL = new Dropping.All();

    /** What a Close of the proxy's own is for. */
    record Closing(Prepared statement, int generation) {}

    /** True where the server has the statement under its present name. */
    boolean has(Prepared statement) {
        Integer generation = named.get(statement);
        return generation != null && generation == statement.generation();
    }

    /** Sends a Parse of the proxy's own; counted as had from its ParseComplete on. */
    void prepare(Prepared statement, boolean asNamed) {
        ByteBuf out = server.buffer();
        if (asNamed) {
            makeRoom(out, statement);
        }
        statement.parse(out, asNamed);
        if (!asNamed) {
            unnamed = statement;
        }
        server.answers.expect(Kind.OWN_PARSE, asNamed ? ClientStatements.Entry.own(statement) : null);
        server.write(out);
    }

    /** Sends an unnamed Parse of the proxy's own, of a text that is not the client's word for word. */
    void prepareUnnamed(ByteBuf parse) {
        unnamed = null;
        server.answers.expect(Kind.OWN_PARSE, null);
        server.write(parse);
    }

    /** The server has no unnamed statement from now on. */
    void closeUnnamed() {
        unnamed = null;
        ByteBuf out = server.buffer();
        Message.closeStatement(out, new byte[0]);
        server.answers.expect(Kind.OWN_CLOSE, null);
        server.write(out);
    }

    /** Before {@code next} is prepared: closes what it was before its plan changed, and the statements unused for longest where there are too many. */
    void makeRoom(ByteBuf out, Prepared next) {
        Integer former = named.remove(next);
        if (former != null) {
            close(out, new Closing(next, former));
        }
        Iterator<Map.Entry<Prepared, Integer>> oldest = named.entrySet().iterator();
        while (named.size() >= most && oldest.hasNext()) {
            Map.Entry<Prepared, Integer> one = oldest.next();
            Closing gone = new Closing(one.getKey(), one.getValue());
            oldest.remove();
            close(out, gone);
        }
    }

    private void close(ByteBuf out, Closing gone) {
        Message.closeStatement(out, gone.statement().name(gone.generation()));
        server.answers.expect(Kind.OWN_CLOSE, gone);
    }

    /** DEALLOCATE has run. */
    void gone(Prepared statement) {
        named.remove(statement);
    }

    /** An error earlier in the batch had the server skip the Close. */
    void kept(Closing closing) {
        named.putIfAbsent(closing.statement(), closing.generation());
    }

    /** The server has confirmed it. */
    void parsed(ClientStatements.Entry entry) {
        named.put(entry.statement(), entry.generation());
        entry.confirm();
    }

    /** DISCARD ALL or DEALLOCATE ALL has run, or will. */
    void forget() {
        named.clear();
        unnamed = null;
    }

    /** "cached plan must not change result type", or a statement that the server has no longer: prepares it anew next time. */
    void stale(ErrorMessage error, @Nullable Object subject) {
        if (error.sqlState().equals("26000") && subject instanceof Prepared statement) {
            named.remove(statement);
        } else if (error.sqlState().equals("0A000")
                && "RevalidateCachedQuery".equals(error.fields().get('R'))
                && subject instanceof Prepared statement) {
            statement.renew();
        }
    }
}
