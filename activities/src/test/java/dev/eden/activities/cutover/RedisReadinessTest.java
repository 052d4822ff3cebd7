package dev.eden.activities.cutover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.redis.preparation.RedisServers;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What servers say that are not among the embedded ones; the rest is {@link RedisReadinessIT}'s. */
class RedisReadinessTest {
    private static final String PLAIN = "role:master\r\ndb0:keys=2,expires=0,avg_ttl=0,subexpiry=0\r\n";
    private static final String EXPIRING = "role:master\r\ndb0:keys=2,expires=0,avg_ttl=0,subexpiry=2\r\n";

    @Test
    void hashesWithFieldsThatExpireAreNotLeftBehind() {
        assertThat(forward(PLAIN)).isEmpty();
        assertThat(forward(EXPIRING)).singleElement().asString().contains("2 hashes");
    }

    /** They did not come from the log, which ends at the first: the target's own, say. */
    @Test
    void theyDoNotHoldUpTheWayBack() {
        assertThat(RedisReadiness.blockers(
                        RedisServers.spec("skip"),
                        "target",
                        ServerInfo.parse(EXPIRING),
                        "source",
                        ServerInfo.parse(PLAIN)))
                .isEmpty();
    }

    private static List<String> forward(String source) {
        return RedisReadiness.blockers(
                RedisServers.spec("replace"), "source", ServerInfo.parse(source), "target", ServerInfo.parse(PLAIN));
    }
}
