package dev.eden.proxy.postgres;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Why a client keeps its connection to a server beyond a transaction. */
enum Pin {
    /** SET of something that is not reported, set_config. */
    SETTING,
    ROLE,
    LISTEN,
    PREPARE,
    CURSOR,
    ADVISORY_LOCK,
    TEMPORARY,
    /** currval, lastval, setseed, dblink, set_config of a name that the text does not tell: state of a session that no catalogue shows. */
    HIDDEN,
    /** DO, CALL, LOAD, a text too long to look through: anything may have happened; a probe tells. */
    UNKNOWN;

    int bit() {
        return 1 << ordinal();
    }

    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    static List<Pin> of(int bits) {
        List<Pin> pins = new ArrayList<>();
        for (Pin pin : values()) {
            if ((bits & pin.bit()) != 0) {
                pins.add(pin);
            }
        }
        return pins;
    }
}
