package dev.eden.demo.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.demo.history.History;
import dev.eden.demo.load.Keyspace;
import dev.eden.demo.load.Preload;
import dev.eden.demo.load.StillLife;
import dev.eden.embedded.EmbeddedRedis;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

class DamageIT {
    @Test
    void everyPlantedKeyDiffersAndNoOther() {
        Keyspace keyspace = new Keyspace(10_000);
        StillLife still = new StillLife(keyspace, 1);
        try (EmbeddedRedis redis = EmbeddedRedis.start();
                Jedis server = new Jedis(redis.host(), redis.port())) {
            new Preload(keyspace, 1).fill(server, new History(), 60_000);
            assertThat(server.dbSize()).isEqualTo(keyspace.keys());
            Map<String, String> before = still.read(server);
            Map<String, String> encodings = encodings(server, before);

            Map<String, String> planted = new Damage(still).plant(server, 40);

            Map<String, String> after = still.read(server);
            Map<String, String> encodingsAfter = encodings(server, before);
            TreeSet<String> differing = new TreeSet<>();
            for (String key : before.keySet()) {
                if (!Objects.equals(before.get(key), after.get(key))
                        || !Objects.equals(encodings.get(key), encodingsAfter.get(key))) {
                    differing.add(key);
                }
            }
            planted.forEach((key, way) -> {
                if (way.equals("extra")) {
                    assertThat(server.exists(key)).isTrue();
                    differing.add(key);
                } else if (way.equals("encoding")) {
                    assertThat(after).containsEntry(key, before.get(key));
                }
            });
            assertThat(planted).hasSize(40);
            assertThat(new TreeSet<>(planted.values())).hasSize(8);
            assertThat(differing).isEqualTo(planted.keySet());
        }
    }

    private static Map<String, String> encodings(Jedis server, Map<String, String> keys) {
        Map<String, String> encodings = new TreeMap<>();
        for (String key : keys.keySet()) {
            encodings.put(key, String.valueOf(server.objectEncoding(key)));
        }
        return encodings;
    }
}
