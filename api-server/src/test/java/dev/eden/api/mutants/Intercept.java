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

            @Override
            public ActiveSide openActive(String migration, String from, String to, Others others) {
                return engine.openActive(migration, from, to, others);
            }
        };
    }

    /** Before every call on the owner's side of an attempt that is settled; {@code others} replaces what the settler asks for where it is not null. */
    static CutoverEngine settling(CutoverEngine engine, CutoverEngine.@Nullable Others others, OfOwner intercept) {
        return new CutoverEngine() {
            @Override
            public String name() {
                return engine.name();
            }

            @Override
            public Session open(String migration, String from, String to, Others asked) {
                return engine.open(migration, from, to, asked);
            }

            @Override
            public ActiveSide openActive(String migration, String from, String to, Others asked) {
                ActiveSide owner = engine.openActive(migration, from, to, others == null ? asked : others);
                return before(
                        ActiveSide.class,
                        owner,
                        (method, arguments, real) -> intercept.call(owner, method, arguments, real));
            }
        };
    }

    /** {@link Intercept} for {@link CutoverEngine.ActiveSide}. */
    interface OfOwner {
        @Nullable
        Object call(CutoverEngine.ActiveSide owner, String method, Object[] arguments, Real real) throws Throwable;
    }

    /** {@link Intercept} for the sessions of a {@link CutoverEngine}. */
    interface OfSession {
        @Nullable
        Object call(CutoverEngine.Session session, String method, Object[] arguments, Real real) throws Throwable;
    }
}
