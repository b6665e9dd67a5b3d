#include "forebay/app/main.hpp"

int main(int argc, char** argv) { return forebay::app::run({argv + 1, argv + argc}); }
