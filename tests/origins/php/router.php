<?php
// PHP as its built-in server runs it: `php -S 127.0.0.1:0 router.php`, in a folder with www/ and requests.
// Every request is a line of JSON in requests; then the path chooses what an application does.
$folder = getcwd();
$path = parse_url('http://host' . $_SERVER['REQUEST_URI'], PHP_URL_PATH);
$name = $folder . '/www' . $path;

file_put_contents("$folder/requests", json_encode([
    'method' => $_SERVER['REQUEST_METHOD'], 'target' => $_SERVER['REQUEST_URI'],
    'headers' => (object) array_change_key_case(getallheaders()),
], JSON_INVALID_UTF8_SUBSTITUTE) . "\n", FILE_APPEND | LOCK_EX);

/** Sends it with its length: what has none ends with the connection. */
function say(string $text): void
{
    header('Content-Length: ' . strlen($text));
    echo $text;
}

/** Ten minutes, or one second while a file NAME.short stands beside the file. */
function lifetime(): string
{
    global $name;
    return is_file("$name.short") ? 'max-age=1' : 'max-age=600';
}

function field(string $name): string
{
    return $_SERVER[$name] ?? 'none';
}

function show($value): string
{
    return json_encode($value, JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR) . "\n";
}

$place = explode('/', $path)[1];
switch ($place) {
    case 'ready.txt':
        say(file_get_contents($name));
        break;

    case 'reads':  // what the application sees by its names
        header('Cache-Control: max-age=600');
        say(show([
            'lang' => $_GET['lang'] ?? null, 'form' => $_POST['lang'] ?? null, 'either' => $_REQUEST['lang'] ?? null,
            'ab_home' => $_COOKIE['ab_home'] ?? null, 'tenant' => field('HTTP_X_TENANT'),
        ]));
        break;

    case 'reads-all':
        header('Cache-Control: max-age=600');
        say(show($_GET));
        break;

    case 'tag':  // an ETag that the script makes and answers for, and gzip by hand
        $text = file_get_contents($name);
        $gzip = preg_match('/gzip(?!;q=0\b(?!\.))/i', field('HTTP_ACCEPT_ENCODING'));
        header('Cache-Control: ' . lifetime());
        header('Vary: Accept-Encoding');
        header('ETag: ' . ($tag = '"' . md5($text) . '"'));  // one for both, as many scripts have it
        if (field('HTTP_IF_NONE_MATCH') === $tag) {
            http_response_code(304);
            break;
        }
        header('Content-Type: text/plain; charset=utf-8');
        if ($gzip) {
            header('Content-Encoding: gzip');
            $text = gzencode($text);
        }
        say($text);
        break;

    case 'zlib':  // zlib.output_compression: Vary and Content-Encoding by PHP itself, chosen by Accept-Encoding
        ini_set('zlib.output_compression', '1');
        header('Cache-Control: ' . lifetime());
        header('Content-Type: text/plain; charset=utf-8');
        header('Last-Modified: ' . gmdate('D, d M Y H:i:s', filemtime($name)) . ' GMT');
        if (strtotime(field('HTTP_IF_MODIFIED_SINCE')) === filemtime($name)) {
            http_response_code(304);
            break;
        }
        echo file_get_contents($name);
        break;

    case 'session':  // session_start() says no-store
    case 'public':   // session_cache_limiter('public') says public, max-age and sets a cookie
        session_save_path("$folder/sessions");
        if ($place === 'public') {
            session_cache_limiter('public');
            session_cache_expire(10);
        }
        session_start();
        $_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
        say('visit ' . $_SESSION['visits'] . ' of ' . substr(session_id(), 0, 6) . "\n");
        break;

    case 'greeting':  // a public page with a session beside it: a new visitor gets a cookie, with a 304 too
        session_save_path("$folder/sessions");
        session_cache_limiter('');
        session_start();
        header('Cache-Control: ' . lifetime());
        header('ETag: "greeting"');
        if (field('HTTP_IF_NONE_MATCH') === '"greeting"') {
            http_response_code(304);
            break;
        }
        say("hello\n");
        break;

    case 'me':  // no lifetime
        $who = $_SERVER['PHP_AUTH_USER'] ?? $_COOKIE['session'] ?? $_SERVER['HTTP_X_API_KEY'] ?? 'nobody';
        say("you are $who\n");
        break;

    case 'cookie':
        header('Cache-Control: max-age=600');
        say('home ' . ($_COOKIE['ab_home'] ?? 'none') . "\n");
        break;

    case 'page':  // a page as scripts send it: no length, the end of the connection is its end
        header('Cache-Control: ' . lifetime());
        header('Vary: Accept-Language');
        echo 'in ', field('HTTP_ACCEPT_LANGUAGE'), "\n";
        break;

    default:
        http_response_code(404);
        say("no such page\n");
}
