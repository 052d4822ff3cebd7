package dev.eden.api.cli;

import dev.eden.api.rest.MigrationResource;
import java.util.List;
import java.util.stream.Stream;

/** Phases as people type them: one that there is not is refused before anything is asked, for it would wait or find nothing for ever. */
final class PhaseNames {
    private PhaseNames() {}

    /** {@code also}: what the option takes beside phases. */
    static void require(String option, String wanted, String... also) {
        List<String> known = Stream.concat(MigrationResource.PHASES.stream(), Stream.of(also))
                .toList();
        if (!known.contains(wanted)) {
            String near = Suggestions.nearest(wanted, known)
                    .map(one -> "perhaps: " + option + " " + one + "; ")
                    .orElse("");
            throw new CliFailure(
                    ExitCode.USAGE, "there is no phase " + wanted, near + "there are " + String.join(", ", known));
        }
    }
}
