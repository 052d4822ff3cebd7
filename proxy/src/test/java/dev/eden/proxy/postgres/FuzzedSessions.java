package dev.eden.proxy.postgres;

import dev.eden.proxy.Backend;
import dev.eden.proxy.CancelKey;
import dev.eden.proxy.MemoryRouteStore;
import dev.eden.proxy.Secret;
import dev.eden.proxy.Wakefulness;
import dev.eden.proxy.fuzz.FuzzedDecoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** What a client of a PostgreSQL says, to the parts that stand behind a socket: before it has said who it is, before it has proved it, and after. */
public final class FuzzedSessions extends FuzzedDecoder {
    private enum Stage {
        STARTUP,
        PASSWORD,
        REQUESTS
    }

    /** Nothing beats its {@link Wakefulness}: some time later it would take itself for one that was asleep, and let nobody in. */
    private static final long OLD = Duration.ofSeconds(2).toNanos();

    private final Stage stage;
    private @Nullable World world;

    private FuzzedSessions(String name, int weight, Stage stage) {
        super(name, weight);
        this.stage = stage;
    }

    public static FuzzedDecoder startups() {
        return new FuzzedSessions("postgres startups", 3, Stage.STARTUP);
    }

    public static FuzzedDecoder passwords() {
        return new FuzzedSessions("postgres passwords", 2, Stage.PASSWORD);
    }

    public static FuzzedDecoder requests() {
        return new FuzzedSessions("postgres requests", 10, Stage.REQUESTS);
    }

    /** One loop of a proxy, whose clients and servers are in this thread. */
    private static final class World {
        final long since = System.nanoTime();
        final EmbeddedChannel home = new EmbeddedChannel();
        private final Cancels cancels = new Cancels("p1");
        private final CountDownLatch answered = new CountDownLatch(1);
        private final PeerCancels peers = new PeerCancels(new Unanswering(), "test", cancels);
        final PostgresLoop loop;

        /** Asks nobody while this lasts. */
        private final class Unanswering extends MemoryRouteStore {
            Unanswering() {
                super(MemoryRouteStore.route(null, null));
            }

            @Override
            public void cancel(String interlay, CancelKey key) {
                try {
                    answered.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        World() {
            // More than are asked at a time: from now on a cancel request of a client's has its answer at once, in this
            // thread.
            for (int i = 0; i < 64; i++) {
                peers.ask(0, new byte[4], () -> {});
            }
            loop = SingleLoop.of(Set.of("trusted"), cancels, peers, home.eventLoop(), FakeServer.class, 2);
            Backend backend = new Backend(
                    "fake", "127.0.0.1", 1, false, null, new Backend.Login("eden", new Secret("eden")), "eden");
            loop.gate.install(MemoryRouteStore.route(backend, null));
        }

        /** Until nobody has anything to say. */
        void settle(EmbeddedChannel client) {
            do {
                client.runPendingTasks();
                home.runPendingTasks();
            } while (FakeServer.answerAll());
        }

        void close() {
            answered.countDown();
            loop.allPools().forEach(ServerPool::close);
            home.runPendingTasks();
            FakeServer.closeAll();
            peers.close();
            home.finishAndReleaseAll();
        }
    }

    @Override
    protected void renew() {
        World before = world;
        if (before != null) {
            world = null;
            before.close();
        }
    }

    private World world() {
        World here = world;
        if (here != null && System.nanoTime() - here.since > OLD) {
            renew();
            here = null;
        }
        if (here == null) {
            here = new World();
            world = here;
        }
        return here;
    }

    @Override
    protected Verdict read(byte[] input, int[] cuts) {
        if (cuts.length > 1 && input.length % 2 == 1) {
            read(
                    input, cuts,
                    true); // the server answers meanwhile: what comes of it may be something else, but in order
        }
        return read(input, cuts, false);
    }

    private Verdict read(byte[] input, int[] cuts, boolean answered) {
        World here = world();
        EmbeddedChannel client = new EmbeddedChannel();
        here.loop.accept(client);
        if (stage != Stage.STARTUP) {
            String user = stage == Stage.REQUESTS ? "trusted" : input.length % 2 == 0 ? "scram" : "md5";
            byte[] hello = hello(Map.of("user", user, "database", "eden"));
            client.writeInbound(piece(hello, 0, hello.length));
            here.settle(client);
            String welcome = told(client);
            if (!welcome.startsWith("R ")) {
                throw new AssertionError("a client is told " + welcome);
            }
        }
        long errors = here.loop.counters.protocolErrors;
        int from = 0;
        for (int cut : cuts) {
            if (client.isOpen()) {
                client.writeInbound(piece(input, from, cut));
            }
            if (answered) {
                here.settle(client);
            }
            from = cut;
        }
        here.settle(client);
        boolean open = client.isOpen();
        String seen = told(client);
        client.finishAndReleaseAll();
        here.settle(client);
        if (here.loop.counters.failures > 0) {
            throw new AssertionError("a session failed");
        }
        boolean refused = here.loop.counters.protocolErrors > errors || seen.contains("E");
        return new Verdict(refused ? Outcome.REFUSED : open ? Outcome.UNFINISHED : Outcome.READ, seen);
    }

    /** What the client has been told: types of messages, errors with their words; nothing that is made by chance. */
    private static String told(EmbeddedChannel client) {
        ByteBuf all = Unpooled.buffer();
        for (ByteBuf more = client.readOutbound(); more != null; more = client.readOutbound()) {
            all.writeBytes(more);
            more.release();
        }
        StringBuilder seen = new StringBuilder();
        while (all.isReadable()) {
            int at = all.readerIndex();
            char type = (char) all.getByte(at);
            if (type == 'N'
                    && (all.readableBytes() < Message.HEADER
                            || all.getInt(at + 1) > 10_000
                            || all.getInt(at + 1) < 4)) {
                all.skipBytes(1); // no TLS
                seen.append("no ");
                continue;
            }
            int total = 1 + all.getInt(at + 1);
            seen.append(type == 'E' ? ErrorMessage.read(all, at, total).toString() : type)
                    .append(' ');
            all.skipBytes(total);
        }
        all.release();
        return seen.toString();
    }

    private static byte[] hello(Map<String, String> parameters) {
        ByteBuf out = Unpooled.buffer();
        Message.startup(out, parameters);
        return FuzzedMessages.taken(out);
    }

    @Override
    protected byte[] sample(Random random) {
        return switch (stage) {
            case STARTUP -> startup(random);
            case PASSWORD -> password(random);
            case REQUESTS -> requests(random);
        };
    }

    private static byte[] startup(Random random) {
        ByteBuf out = Unpooled.buffer();
        if (random.nextInt(3) == 0) {
            out.writeInt(8).writeInt(random.nextBoolean() ? Message.SSL_REQUEST : Message.GSSENC_REQUEST);
        }
        switch (random.nextInt(6)) {
            case 0 ->
                out.writeInt(16).writeInt(Message.CANCEL_REQUEST).writeInt(7).writeInt(random.nextInt());
            case 1 -> out.writeBytes(hello(Map.of("user", "nobody", "database", "other", "options", "-c geqo=off")));
            case 2 -> out.writeBytes(hello(Map.of("user", "scram", "database", "eden", "_pq_.new", "1")));
            default ->
                out.writeBytes(hello(Map.of("user", "trusted", "database", "eden", "TimeZone", "UTC", "geqo", "off")));
        }
        return FuzzedMessages.taken(out);
    }

    private static byte[] password(Random random) {
        ByteBuf out = Unpooled.buffer();
        if (random.nextInt(4) == 0) {
            Message.password(out, "md5" + "0".repeat(32));
        } else {
            byte[] first = "n,,n=,r=fyko+d2lbbFgONRv9qkxdawL".getBytes(StandardCharsets.US_ASCII);
            int at = Message.begin(out, 'p');
            Message.string(out, Scram.MECHANISM);
            out.writeInt(first.length).writeBytes(first);
            Message.end(out, at);
            at = Message.begin(out, 'p');
            out.writeBytes("c=biws,r=fyko+d2lbbFgONRv9qkxdawL,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
                    .getBytes(StandardCharsets.US_ASCII));
            Message.end(out, at);
        }
        return FuzzedMessages.taken(out);
    }

    private static byte[] requests(Random random) {
        ByteBuf out = Unpooled.buffer();
        String[] texts = FuzzedTexts.SAMPLES;
        for (int more = random.nextInt(5); more >= 0; more--) {
            String sql = texts[random.nextInt(texts.length)];
            String name = random.nextBoolean() ? "" : "s" + random.nextInt(3);
            switch (random.nextInt(9)) {
                case 0, 1 -> Message.query(out, sql, null);
                case 2, 3, 4 -> {
                    strings(out, 'P', new byte[2], name, sql);
                    strings(out, 'B', new byte[6], "", name);
                    strings(out, 'D', new byte[0], "P");
                    strings(out, 'E', new byte[4], "");
                    Message.empty(out, 'S');
                }
                case 5 -> {
                    strings(out, 'C', new byte[0], "S" + name);
                    strings(out, 'D', new byte[0], "S" + name);
                    Message.empty(out, 'H');
                    Message.empty(out, 'S');
                }
                case 6 -> strings(out, 'F', new byte[12]);
                case 7 -> strings(out, 'd', new byte[random.nextInt(30)]);
                default -> Message.empty(out, random.nextBoolean() ? 'c' : 'S');
            }
        }
        if (random.nextInt(4) == 0) {
            Message.empty(out, 'X');
        }
        return FuzzedMessages.taken(out);
    }

    private static void strings(ByteBuf out, char type, byte[] rest, String... strings) {
        int at = Message.begin(out, type);
        for (String string : strings) {
            Message.string(out, string);
        }
        out.writeBytes(rest);
        Message.end(out, at);
    }

    @Override
    protected byte[] frame(Random random) {
        byte[] body = random(random, 60);
        ByteBuf out = Unpooled.buffer();
        switch (stage) {
            case STARTUP ->
                out.writeInt(8 + body.length)
                        .writeInt(
                                random.nextBoolean()
                                        ? Message.PROTOCOL_3_0
                                        : Message.CANCEL_REQUEST + random.nextInt(3));
            case PASSWORD -> out.writeByte('p').writeInt(4 + body.length);
            case REQUESTS ->
                out.writeByte("QFPBDECSHXdcf".charAt(random.nextInt(13))).writeInt(4 + body.length);
        }
        out.writeBytes(body);
        return FuzzedMessages.taken(out);
    }

    @Override
    protected byte[] lie(byte[] valid, long length, Random random) {
        if (stage == Stage.STARTUP) {
            byte[] bytes = valid.clone();
            Unpooled.wrappedBuffer(bytes).setInt(0, (int) length);
            return bytes;
        }
        return FuzzedMessages.lied(valid, length, random, 0);
    }
}
