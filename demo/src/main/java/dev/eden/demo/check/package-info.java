/** The judge. It knows histories and final states, nothing of proxies, replication or migrations. */
@NullMarked
package dev.eden.demo.check;

import org.jspecify.annotations.NullMarked;
