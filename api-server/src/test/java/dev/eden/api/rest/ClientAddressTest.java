package dev.eden.api.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.api.config.Kind;
import dev.eden.api.config.Networks;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who a request is counted for. */
class ClientAddressTest {
    private static final Networks BALANCERS = Networks.parse("10.0.0.5, 10.1.0.0/20,fd00::/8");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "10.0.0.5     | 203.0.113.9                    | 203.0.113.9 | whom the balancer names",
                "10.0.0.5     | 198.51.100.1, 203.0.113.9      | 203.0.113.9 | to its left anybody may have written",
                "10.0.0.5     | garbage, 203.0.113.9           | 203.0.113.9 | as above",
                "10.1.15.255  | 203.0.113.9, 10.0.0.5          | 203.0.113.9 | a balancer behind a balancer",
                "10.0.0.5     | 10.1.0.1                       | 10.1.0.1    | all of them are trusted",
                "10.0.0.5     | 2001:db8::1                    | 2001:db8:0:0:0:0:0:1 | IPv6",
                "[fd00:0:0:0:0:0:0:7] | 203.0.113.9            | 203.0.113.9 | as the servlet writes it",
                "10.1.16.0    | 203.0.113.9                    | 10.1.16.0   | outside of the block",
                "203.0.113.7  | 203.0.113.9                    | 203.0.113.7 | a stranger speaks for nobody",
                "10.0.0.5     | ''                             | 10.0.0.5    | says nothing",
                "10.0.0.5     | unknown                        | 10.0.0.5    | no address",
                "10.0.0.5     | 203.0.113.9:4711               | 10.0.0.5    | with a port",
                "10.0.0.5     | 203.0.113.9,                   | 10.0.0.5    | ends with nothing",
                "10.0.0.5     | localhost                      | 10.0.0.5    | nothing is looked up",
            })
    void whoIsCounted(String peer, String forwarded, String client, String why) {
        String header = forwarded.equals("''") ? "" : forwarded;
        assertThat(new ClientAddress(BALANCERS).of(peer, List.of(header)))
                .as(why)
                .isEqualTo(client);
    }

    @Test
    void linesAreOneList() {
        ClientAddress clients = new ClientAddress(BALANCERS);
        assertThat(clients.of("10.0.0.5", List.of("198.51.100.1", "203.0.113.9")))
                .isEqualTo("203.0.113.9");
        assertThat(clients.of("10.0.0.5", List.of())).isEqualTo("10.0.0.5");
        assertThat(new ClientAddress(Networks.NONE).of("10.0.0.5", List.of("203.0.113.9")))
                .isEqualTo("10.0.0.5");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "balancer", "10.0.0.1,", "::/129", "10.0.0.0/8/8"
            })
    void whatIsNoListOfNetworksIsRefused(String text) {
        assertThat(Kind.NETWORKS.problem(text)).isPresent();
    }
}
