/* The names that the headers of some kernels give to memcpy() and its like where a sanitizer is on. No header: these are the names themselves. */
typedef __SIZE_TYPE__ size;

#define ALIASES(prefix) \
	void *prefix##memset(void *to, int value, size count) { return __builtin_memset(to, value, count); } \
	void *prefix##memcpy(void *to, const void *from, size count) { return __builtin_memcpy(to, from, count); } \
	void *prefix##memmove(void *to, const void *from, size count) { return __builtin_memmove(to, from, count); }

ALIASES(__)
ALIASES(__hwasan_)
