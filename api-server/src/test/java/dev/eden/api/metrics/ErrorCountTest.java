package dev.eden.api.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.api.store.RouteReports.ProxyTraffic;
import dev.eden.proxy.TrafficReport;
import dev.eden.proxy.TrafficReport.Side;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ErrorCountTest {
    private final ErrorCount count = new ErrorCount();

    @Test
    void whatEachProxyAddsIsCounted() {
        sample(proxy("p1", 7), proxy("p2", 0));
        assertThat(count.total("i")).as("of before").isZero();
        sample(proxy("p1", 9), proxy("p2", 3));
        assertThat(count.total("i")).isEqualTo(5);
        sample(proxy("p1", 9), proxy("p2", 3));
        assertThat(count.total("i")).isEqualTo(5);
    }

    @Test
    void theCountGoesOnWhereAProxyIsReplaced() {
        sample(proxy("pod-1", 1_000));
        sample(proxy("pod-1", 1_010));
        sample(proxy("pod-2", 4));
        assertThat(count.total("i")).isEqualTo(14);
        sample(proxy("pod-2", 6));
        assertThat(count.total("i")).isEqualTo(16);
    }

    @Test
    void aProxyThatStartsAgainBeginsAtNothing() {
        sample(proxy("p1", 100));
        sample(proxy("p1", 2));
        sample(proxy("p1", 5));
        assertThat(count.total("i")).isEqualTo(5);
    }

    private void sample(ProxyTraffic... proxies) {
        count.sample(Map.of("i", List.of(proxies)));
    }

    private static ProxyTraffic proxy(String name, long errors) {
        return new ProxyTraffic(
                name,
                "127.0.0.1:1",
                true,
                new TrafficReport(
                        0, 0, 0, new Side(0, errors, 0, 0, 0), new Side(0, 0, 0, 0, 0), 0, 0, 0, 0, 0, Map.of()),
                0);
    }
}
