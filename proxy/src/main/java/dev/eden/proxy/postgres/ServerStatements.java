package dev.eden.proxy.postgres;

import dev.eden.proxy.postgres.Expectations.Kind;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The statements that one connection to a server has: named ones, the least recently used first to go, and the unnamed one. */
final class ServerStatements {
    private static final byte[] UNNAMED = {};
    /** By this name of a function drivers know that to prepare the statement again is what helps. */
    private static final String REVALIDATION = "RevalidateCachedQuery";

    /** What a server says of a statement that has become another one for whoever prepared it. */
    static final ErrorMessage CHANGED = ErrorMessage.error("0A000", "cached plan must not change result type")
            .routine(REVALIDATION);

    /** Of a read that the standby does not answer because nobody knows its types there yet. No error of the standby's. */
    static final ErrorMessage NOT_YET = ErrorMessage.error("0A000", "eden: not known yet on the standby");

    private final ServerConnection server;
    private final int most;
    private final LinkedHashMap<Variant, Had> named = new LinkedHashMap<>(16, 0.75f, true);

    /** Made since the server last said what the settings are. */
    private final List<Variant> fresh = new ArrayList<>();
    /** What is under way may change settings for a while, of which the server says nothing. */
    private boolean unsettled;

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

        record One(ClientStatements.Entry entry, Variant variant) implements Dropping {}
    }

    static final Dropping ALL = new Dropping.All();

    /** A statement as this server has it: under the name of which generation, and of which types, as far as the server has said. */
    private record Had(int generation, StatementTypes types) {
        Had(int generation) {
            this(generation, new StatementTypes());
        }
    }

    /** Of an expected description: who is told, null: nobody but the proxy; and of what. */
    record Described(@Nullable StatementTypes client, Variant variant, int generation) {
        Described(@Nullable StatementTypes client, Variant variant) {
            this(client, variant, variant.generation());
        }
    }

    /** What a Close of the proxy's own is for. */
    record Closing(Variant variant, int generation) {}

    /** True where the server has it under its present name. */
    boolean has(Variant variant) {
        return types(variant) != null;
    }

    /** Of what the server has under the present name; null: nothing. */
    @Nullable
    StatementTypes types(Variant variant) {
        Had had = named.get(variant);
        return had != null && had.generation == variant.generation() ? had.types : null;
    }

    /** What a client's statement is here when it is used. */
    Variant of(ClientStatements.Entry entry) {
        if (apart()) {
            return entry.apart();
        }
        Variant shared = entry.statement().under(server.settings.reading());
        if (unsettled && (entry.hasApart() || !has(shared) && !parsing(shared))) {
            return entry.apart(); // what is parsed now may be read otherwise than others would read it
        }
        return shared;
    }

    /** What a client's statement is here when the client prepares it. */
    Variant toParse(ClientStatements.Entry entry) {
        return unsettled || apart() ? entry.apart() : entry.statement().under(server.settings.reading());
    }

    private boolean apart() {
        ClientSession holder = server.client;
        return holder != null && !holder.standbyRead.running() && holder.pins.parsesApart(server);
    }

    private boolean parsing(Variant variant) {
        return server.expected.parsing(variant) != Expectations.Parsing.NO;
    }

    /** Sends a Parse of the proxy's own, and asks for the types; counted as had from its ParseComplete on. */
    ClientStatements.Entry prepare(Variant variant) {
        ByteBuf out = server.buffer();
        makeRoom(out, variant);
        variant.statement.parse(out, variant.name());
        ClientStatements.Entry entry = ClientStatements.Entry.own(variant);
        server.answers.expect(Kind.OWN_PARSE, entry);
        describe(out, variant);
        server.write(out);
        return entry;
    }

    /** Asks for the types of what the server has, or is about to have. */
    void describe(Variant variant) {
        ByteBuf out = server.buffer();
        describe(out, variant);
        server.write(out);
    }

    private void describe(ByteBuf out, Variant variant) {
        Message.describeStatement(out, variant.name());
        server.answers.expect(Kind.OWN_DESCRIBE, new Described(null, variant));
    }

    /** The server says what the parameters of a statement are. */
    void parametersTold(Described of, ByteBuf in, int index) {
        StatementTypes client = of.client;
        if (client != null) {
            client.parameters(in, index);
        }
        StatementTypes here = here(of);
        if (here != null) {
            here.parameters(in, index);
        }
    }

    /** The server says what the columns of a statement's result are. */
    void columnsTold(Described of, ByteBuf in, int index, int total) {
        StatementTypes client = of.client;
        if (client != null) {
            client.columns(in, index, total);
        }
        StatementTypes here = here(of);
        if (here != null) {
            here.columns(in, index, total);
        }
    }

    private @Nullable StatementTypes here(Described of) {
        Had had = named.get(of.variant);
        return had != null && had.generation == of.generation ? had.types : null;
    }

    /** As {@link #prepare}, by no name. */
    void prepareUnnamed(Prepared statement) {
        ByteBuf out = server.buffer();
        statement.parse(out, UNNAMED);
        prepareUnnamed(out);
        unnamed = statement;
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
        Message.closeStatement(out, UNNAMED);
        server.answers.expect(Kind.OWN_CLOSE, null);
        server.write(out);
    }

    /** Before {@code next} is prepared: closes what it was before its plan changed, and the statements unused for longest where there are too many. */
    void makeRoom(ByteBuf out, Variant next) {
        Had former = named.remove(next);
        if (former != null) {
            close(out, new Closing(next, former.generation));
        }
        Iterator<Map.Entry<Variant, Had>> oldest = named.entrySet().iterator();
        while (named.size() >= most && oldest.hasNext()) {
            Map.Entry<Variant, Had> one = oldest.next();
            Closing gone = new Closing(one.getKey(), one.getValue().generation);
            oldest.remove();
            close(out, gone);
        }
    }

    private void close(ByteBuf out, Closing gone) {
        Message.closeStatement(out, gone.variant().name(gone.generation()));
        server.answers.expect(Kind.OWN_CLOSE, gone);
    }

    /** DEALLOCATE has run. */
    void gone(Variant variant) {
        named.remove(variant);
    }

    /** An error earlier in the batch had the server skip the Close. */
    void kept(Closing closing) {
        named.putIfAbsent(closing.variant(), new Had(closing.generation()));
    }

    /** The server has confirmed it. */
    void parsed(ClientStatements.Entry entry) {
        Variant variant = entry.variant();
        named.put(variant, new Had(entry.generation()));
        entry.confirm();
        Settings under = variant.under;
        if (under == null || entry.generation() != variant.generation()) {
            return;
        }
        if (under.equals(server.settings.reading())) {
            fresh.add(variant);
        } else {
            variant.renew(); // settings were changing when it was sent
        }
    }

    /** A text is on its way that may change settings. */
    void unsettle() {
        unsettled = true;
    }

    /** The server says that settings are others now, by which texts are read: what it has parsed since it last said so may have been read by either. */
    void settingsChanged() {
        fresh.forEach(Variant::renew);
        fresh.clear();
        unnamed = null;
    }

    /** The end of a batch; {@code all}: nothing else is under way. What settings have changed has been told. */
    void told(boolean all) {
        fresh.clear();
        if (all && unsettled) {
            unsettled = false;
            unnamed = null;
        }
    }

    /** DISCARD ALL or DEALLOCATE ALL has run, or will. */
    void forget() {
        named.clear();
        fresh.clear();
        unnamed = null;
    }

    /** "cached plan must not change result type", or a statement that the server has no longer: prepares it anew next time. */
    void stale(ErrorMessage error, @Nullable Object subject) {
        Variant variant = switch (subject) {
            case Variant bound -> bound;
            case Described(var _, Variant described, int _) -> described;
            case null, default -> null;
        };
        if (variant == null) {
            return;
        }
        if (error.sqlState().equals("26000")) {
            named.remove(variant);
        } else if (error.sqlState().equals("0A000")
                && REVALIDATION.equals(error.fields().get('R'))) {
            variant.renew();
        }
    }
}
