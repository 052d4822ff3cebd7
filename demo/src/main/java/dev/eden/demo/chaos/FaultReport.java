package dev.eden.demo.chaos;

import dev.eden.demo.history.History.Window;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What became of one fault; filled in while it runs, block times once the load has ended. */
final class FaultReport {
    final int number;
    final Fault fault;
    final List<String> notes = new ArrayList<>();
    final List<String> anomalies = new ArrayList<>();
    String outcome = "not reached";
    Victim struck;
    /** Others that died of the same fault: two may come to a point of the settler's at once. */
    final Set<Node> also = EnumSet.noneOf(Node.class);
    /** From the blow to the moment when everything was as before, in microseconds of the history. */
    Window window = new Window(0, 0);
    /** When the victim served again. */
    long backAt;

    long unsettledMillis;
    double blockMillis;
    double blockVictimMillis;

    private final int proxies;

    /** @param proxies how many the clients are spread over */
    FaultReport(int number, Fault fault, int proxies) {
        this.number = number;
        this.proxies = proxies;
        this.fault = fault;
        this.struck = fault.victim();
    }

    /** Whether {@code client} spoke through a proxy that this fault struck. */
    boolean struckProxyOf(int client) {
        // Listeners, of which there is one at each, count from -1 downwards.
        int proxy = client < 0 ? -1 - client : client % proxies;
        return struck.proxy() == proxy || also.stream().anyMatch(other -> other.proxy() == proxy);
    }

    boolean struckProxy() {
        return struck.proxy() >= 0 || also.stream().anyMatch(other -> other.proxy() >= 0);
    }

    boolean happened() {
        return window.to() > 0;
    }
}
