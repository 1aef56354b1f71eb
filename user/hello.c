// The first program: everything that a C program relies on before main.
#include "faultline.h"

static int constructed;
static int zeroed[64];
static _Thread_local int in_tls = 42, in_tls_zero;

__attribute__((constructor)) static void construct(void)
{
    constructed = 1;
}

int main(int argc, char **argv, char **envp)
{
    print("hello from user space, I am ");
    print(argv[0]);
    print("\n");
    expect(argc == 1 && argv[1] == NULL, "argc is 1");
    expect(constructed == 1, "the constructor ran");
    expect(zeroed[0] == 0 && zeroed[63] == 0, ".bss is zero");
    expect(in_tls == 42 && in_tls_zero == 0, "thread-local storage is set up");
    double half = (double)argc / 2; // floating point works at EL0
    expect(half > 0.4 && half < 0.6, "floating point");
    return failures();
}
