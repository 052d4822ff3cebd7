package dev.eden.embedded;

import java.util.Optional;

/** A Temporal service somebody else runs. */
record ExternalTemporal(String address) implements EmbeddedTemporal {
    ExternalTemporal {
        TemporalService.awaitNamespace(address, () -> {});
    }

    @Override
    public Optional<String> uiUrl() {
        return Optional.ofNullable(System.getenv("TEMPORAL_UI_URL")).filter(url -> !url.isBlank());
    }

    @Override
    public boolean durable() {
        return true;
    }

    @Override
    public Optional<ServerProcess> process() {
        return Optional.empty();
    }

    @Override
    public void kill() {
        throw notOurs();
    }

    @Override
    public void restart() {
        throw notOurs();
    }

    @Override
    public void suspend() {
        throw notOurs();
    }

    @Override
    public void resume() {
        throw notOurs();
    }

    @Override
    public void detach() {}

    @Override
    public void close() {}

    private UnsupportedOperationException notOurs() {
        return new UnsupportedOperationException("the Temporal service at " + address + " is not a process of ours");
    }
}
