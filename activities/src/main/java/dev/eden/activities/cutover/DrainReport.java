package dev.eden.activities.cutover;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.store.RouteLedger.Acknowledgement;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the proxies said when they were at rest.
 *
 * @param backends processes of the old side's server whose sessions they keep
 * @param listeners the proxies ({@code name/interlay}) with sessions that must listen on the new side before it takes writes
 */
record DrainReport(Set<Integer> backends, Set<String> listeners) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    DrainReport {
        backends = Set.copyOf(backends);
        listeners = Set.copyOf(listeners);
    }

    /** Of all acknowledgements of one attempt. A report that cannot be read counts as one that says nothing: its sessions are ended with the others. */
    static DrainReport of(List<Acknowledgement> acknowledgements) {
        return of(acknowledgements, "DRAINED");
    }

    /** As {@link #of(List)}, of what they said at {@code step}. */
    static DrainReport of(List<Acknowledgement> acknowledgements, String step) {
        Set<Integer> backends = new HashSet<>();
        Set<String> listeners = new HashSet<>();
        for (Acknowledgement one : acknowledgements) {
            if (one.step().equals(step)) {
                try {
                    JsonNode detail = JSON.readTree(one.detail());
                    detail.path("backends").forEach(pid -> backends.add(pid.asInt()));
                    if (detail.path("listeners").asInt() > 0) {
                        listeners.add(one.proxy() + "/" + one.interlay());
                    }
                } catch (JsonProcessingException e) {
                    // as it says above
                }
            }
        }
        return new DrainReport(backends, listeners);
    }
}
