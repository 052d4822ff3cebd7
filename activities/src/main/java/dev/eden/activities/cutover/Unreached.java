package dev.eden.activities.cutover;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.store.ConnectFailure;
import dev.eden.activities.store.RouteLedger.Acknowledgement;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What proxies said that would not be armed because the standby does not answer them: whose hosts {@code pg_hba.conf} forgot, or a firewall keeps away. */
final class Unreached {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private Unreached() {}

    /** Of those among {@code missing} ({@code name/interlay}) who said so, behind what says that they are missing; empty where nobody did. */
    static Optional<String> of(List<Acknowledgement> acknowledgements, List<String> missing) {
        String said = acknowledgements.stream()
                .filter(one -> one.step().equals("UNREACHED") && missing.contains(one.proxy() + "/" + one.interlay()))
                .map(one -> "; " + one.proxy() + "/" + one.interlay() + ": " + why(one))
                .collect(Collectors.joining());
        return said.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        said
                                + "; let the proxies' hosts connect there: routes, firewalls, pg_hba.conf, TLS, max_connections");
    }

    private static String why(Acknowledgement one) {
        try {
            return ConnectFailure.withoutNamed(
                    JSON.readTree(one.detail()).path("why").asText());
        } catch (JsonProcessingException e) {
            return "the standby does not answer it";
        }
    }
}
