/** Eden's settings: what there is, where a value comes from (flag, environment, file, default), and what is wrong with one. */
@NullMarked
package dev.eden.api.config;

import org.jspecify.annotations.NullMarked;
