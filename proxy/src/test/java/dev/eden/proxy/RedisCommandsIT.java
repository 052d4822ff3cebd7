package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.embedded.EmbeddedRedis;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.StreamEntryID;

/** What one client says of its connection concerns it alone, on both sides; what it says of others' concerns those it means. */
class RedisCommandsIT extends RedisFixture {
    @Test
    void answersWhatCameBeforeAProtocolError() throws IOException {
        Wire client = client();
        client.raw("*1\r\n$4\r\nPING\r\n*0\r\nINCR n\r\n*-1\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n*1\r\n!3\r\nfoo\r\n"
                .getBytes());
        assertThat(client.read()).isEqualTo("+PONG");
        assertThat(client.read()).isEqualTo(":1");
        assertThat(client.read()).isEqualTo(":2");
        assertThat(client.read()).isEqualTo("-ERR Protocol error: expected '$', got '!'");
        assertThatThrownBy(client::read).isInstanceOf(EOFException.class);
        Wire missing = client();
        missing.raw("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$3\r\nGET\r\n$-1\r\n".getBytes());
        assertThat(missing.read()).isEqualTo("+OK");
        assertThat(missing.read()).isEqualTo("-ERR Protocol error: invalid bulk length");
        assertThat(atSource.get("a")).isEqualTo("1");
    }

    @Test
    void unblocksTheClientItIsAskedFor() throws IOException {
        Wire one = client();
        Wire two = client();
        String id = one.call("CLIENT", "ID").substring(1);
        one.send("BLPOP", "q1", "0");
        two.send("BLPOP", "q2", "0");
        await().until(() -> atSource.info("clients").contains("blocked_clients:2"));
        Wire other = client();
        assertThat(other.call("CLIENT", "UNBLOCK", id)).isEqualTo(":1");
        assertThat(one.read()).isEqualTo("(nil)");
        assertThat(other.call("CLIENT", "UNBLOCK", id)).isEqualTo(":0");
        one.send("BLPOP", "q1", "0");
        await().until(() -> atSource.info("clients").contains("blocked_clients:2"));
        assertThat(other.call("CLIENT", "UNBLOCK", id, "ERROR")).isEqualTo(":1");
        assertThat(one.read()).startsWith("-UNBLOCKED");
        assertThat(other.call("CLIENT", "UNBLOCK", "x")).startsWith("-ERR value is not an integer");
        hold();
        flip();
        await().until(() -> atTarget.info("clients").contains("blocked_clients:1"));
        assertThat(other.call("CLIENT", "UNBLOCK", numberAtTheServer(two))).isEqualTo(":0");
        atTarget.rpush("q2", "x");
        assertThat(two.read()).isEqualTo("[q2, x]");
    }

    @Test
    void aTransactionTellsTheClientsOwnNumber() throws IOException {
        Wire client = client();
        String id = client.call("CLIENT", "ID");
        client.call("MULTI");
        client.call("CLIENT", "ID");
        client.call("PING");
        client.call("CLIENT", "INFO");
        assertThat(client.call("EXEC"))
                .startsWith("[" + id + ", +PONG, id=" + id.substring(1) + " addr=")
                .contains(" resp=2 ");
    }

    /** No client's number: connections of the server have small ones as well. */
    private String numberAtTheServer(Wire blocked) throws IOException {
        assertThat(blocked.silent(Duration.ofMillis(20))).isTrue();
        return atTarget.clientList()
                .lines()
                .filter(line -> line.contains("cmd=blpop"))
                .map(line -> line.substring(3, line.indexOf(' ')))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void modesOfOneConnectionAreNotAnothers() throws IOException {
        Wire one = client();
        Wire two = client();
        two.call("PING");
        assertThat(one.call("CLIENT", "NO-EVICT", "ON")).isEqualTo("+OK");
        assertThat(protectedOn(atSource)).isEqualTo(1);
        hold();
        flip();
        assertThat(one.call("SET", "a", "1")).isEqualTo("+OK");
        assertThat(protectedOn(atTarget)).isEqualTo(1);
        await().until(() -> protectedOn(atSource) == 0);
        assertThat(one.call("CLIENT", "NO-EVICT", "OFF")).isEqualTo("+OK");
        assertThat(protectedOn(atTarget)).isZero();
        assertThat(two.call("CLIENT", "NO-EVICT", "ON")).isEqualTo("+OK");
        two.close();
        await().until(() -> protectedOn(atTarget) == 0);
        assertThat(one.call("CLIENT", "NO-EVICT", "MAYBE")).startsWith("-ERR");
        assertThat(one.call("CLIENT", "TRACKING", "ON", "OPTIN", "OPTOUT")).startsWith("-ERR");
        assertThat(one.call("CLIENT", "TRACKING", "ON", "REDIRECT", "5")).startsWith("-ERR eden: ");
        assertThat(one.call("HELLO", "3"))
                .as("nothing is kept for what was refused")
                .contains("proto, :3");
        assertThat(one.call("GET", "a")).isEqualTo("1");
    }

    private static long protectedOn(Jedis server) {
        return server.clientList()
                .lines()
                .filter(line -> line.contains("name=eden:p1") && line.matches(".* flags=[A-Za-z]*e[A-Za-z]* .*"))
                .count();
    }

    @Test
    void linesOfAMonitorAreNoReplies() throws IOException {
        Wire writer = client();
        writer.call("PING");
        Wire monitor = client();
        assertThat(monitor.call("MONITOR")).isEqualTo("+OK");
        for (int i = 0; i < 2; i++) {
            source.suspend();
            writer.send("SET", "a", "1");
            assertThat(writer.silent(Duration.ofMillis(100))).isTrue();
            monitor.send("ECHO", "reply"); // its reply comes behind the line of what was there before
            assertThat(writer.silent(Duration.ofMillis(100))).isTrue();
            source.resume();
            String line = monitor.read();
            while (line.startsWith("+")) {
                line = monitor.read();
            }
            assertThat(line).isEqualTo("reply");
            hold();
            abort();
            writer.read();
        }
    }

    @Test
    void readsOnlyWhatIsNewWithoutTheRightToLook() throws IOException {
        atSource.xadd("s", StreamEntryID.NEW_ENTRY, Map.of("f", "old"));
        acl(atSource, "SETUSER", "ada", "on", ">pw", "~*", "&*", "+xread", "+ping");
        try {
            Wire client = client();
            assertThat(client.call("AUTH", "ada", "pw")).isEqualTo("+OK");
            client.send("XREAD", "BLOCK", "0", "STREAMS", "s", "$");
            await().until(() -> atSource.info("clients").contains("blocked_clients:1"));
            hold();
            abort();
            await().until(() -> atSource.info("clients").contains("blocked_clients:1"));
            atSource.xadd("s", StreamEntryID.NEW_ENTRY, Map.of("f", "new"));
            assertThat(client.read()).contains("new").doesNotContain("old");
        } finally {
            acl(atSource, "DELUSER", "ada");
        }
    }

    @Test
    void tellsTheStandbyScriptsHoweverTheyCame() throws IOException {
        atTarget.scriptFlush();
        Wire client = client();
        assertThat(client.call("EVAL_RO", "return 'read only'", "0")).isEqualTo("read only");
        client.call("MULTI");
        client.call("EVAL", "return 'queued'", "0");
        client.call("SCRIPT", "LOAD", "return 'loaded'");
        client.call("EXEC");
        hold();
        flip();
        assertThat(client.call("EVALSHA_RO", atSource.scriptLoad("return 'read only'"), "0"))
                .isEqualTo("read only");
        assertThat(client.call("EVALSHA", atSource.scriptLoad("return 'queued'"), "0"))
                .isEqualTo("queued");
        assertThat(client.call("EVALSHA", atSource.scriptLoad("return 'loaded'"), "0"))
                .isEqualTo("loaded");
    }

    @Test
    void waitSpeaksOfTheClientsOwnWrites() throws IOException {
        try (EmbeddedRedis replica = EmbeddedRedis.start();
                Jedis there = new Jedis("127.0.0.1", replica.port())) {
            there.replicaof("127.0.0.1", source.port());
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> there.info("replication").contains("master_link_status:up"));
            Wire client = client();
            assertThat(client.call("SET", "a", "1")).isEqualTo("+OK");
            assertThat(client.call("WAIT", "1", "5000")).isEqualTo(":1");
            replica.suspend();
            try {
                assertThat(client.call("SET", "b", "1")).isEqualTo("+OK");
                assertThat(client.call("WAIT", "1", "100")).isEqualTo(":0");
            } finally {
                replica.resume();
            }
            assertThat(client.call("WAIT", "1", "5000")).isEqualTo(":1");
            acl(atSource, "SETUSER", "ada", "on", ">pw", "~*", "resetchannels", "+@all");
            assertThat(client.call("AUTH", "ada", "pw")).isEqualTo("+OK");
            assertThat(client.call("SET", "c", "1")).isEqualTo("+OK");
            assertThat(client.call("WAIT", "1", "5000"))
                    .as("no channel is needed there")
                    .isEqualTo(":1");
        } finally {
            acl(atSource, "DELUSER", "ada");
        }
    }

    @Test
    void aClientThatTakesNoRepliesStopsNobodyElse() throws IOException {
        atSource.configResetStat();
        atSource.set("big", "x".repeat(1_000_000));
        try (RedisProxy one = RedisProxy.start(oneConnection("p5"), store, new SimpleMeterRegistry());
                Wire stuck = new Wire(one.port());
                Wire other = new Wire(one.port())) {
            other.socket().setSoTimeout(6_000);
            for (int i = 0; i < 40; i++) {
                stuck.send("GET", "big");
            }
            await().until(() -> atSource.info("commandstats").contains("cmdstat_get:calls=40"));
            assertThat(other.call("SET", "a", "1")).isEqualTo("+OK");
            for (int i = 0; i < 40; i++) {
                assertThat(stuck.read()).hasSize(1_000_000);
            }
            assertThat(stuck.call("GET", "a")).isEqualTo("1");
            for (int i = 0; i < 150; i++) {
                stuck.send("GET", "big"); // more than is kept for one client
            }
            for (int i = 0; i < 3; i++) {
                assertThat(other.call("SET", "a", "1")).isEqualTo("+OK");
            }
        }
    }
}
