package dev.eden.api.mutants;

import dev.eden.activities.cutover.CutoverEngine;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/** Stands before a port and may do something else than its method does. */
interface Intercept {
    /** {@code real} calls the real method with the real arguments. */
    @Nullable
    Object call(String method, Object[] arguments, Real real) throws Throwable;

    /** The real method. */
    interface Real {
        @Nullable
        Object call() throws Throwable;
    }

    static <T> T before(Class<T> port, T real, Intercept intercept) {
        return port.cast(Proxy.newProxyInstance(
                port.getClassLoader(),
                new Class<?>[] {port},
                (_, method, arguments) ->
                        intercept.call(method.getName(), arguments == null ? new Object[0] : arguments, () -> {
                            try {
                                return method.invoke(real, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        })));
    }

    /** Before every session that the engine opens; {@code intercept} gets the session as well. */
    static CutoverEngine sessions(CutoverEngine engine, OfSession intercept) {
        return new CutoverEngine() {
            @Override
            public String name() {
                return engine.name();
            }

            @Override
            public Session open(String migration, String from, String to, Others others) {
                Session session = engine.open(migration, from, to, others);
                return before(
                        Session.class,
                        session,
                        (method, arguments, real) -> intercept.call(session, method, arguments, real));
            }
        };
    }

    /** {@link Intercept} for the sessions of a {@link CutoverEngine}. */
    interface OfSession {
        @Nullable
        Object call(CutoverEngine.Session session, String method, Object[] arguments, Real real) throws Throwable;
    }
}
