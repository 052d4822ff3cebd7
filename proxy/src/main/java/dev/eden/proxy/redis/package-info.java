/** The Redis data plane: clients, backend connections, command table, pinning, barrier, canary. */
@NullMarked
package dev.eden.proxy.redis;

import org.jspecify.annotations.NullMarked;
