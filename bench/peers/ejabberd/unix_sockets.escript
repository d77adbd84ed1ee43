%% Lets Debian's driver for PostgreSQL use a unix socket ("unix:" and its path as the server's
%% name), as its later versions do: so the peer reaches the store in the way that ours does.
%%
%%     escript unix_sockets.escript FOLDER      writes pgsql_util.beam there, if it is needed

-define(CLAUSE,
        "connect(\"unix:\" ++ Path, _Port, Timeout) ->"
        "    Options = [{active, false}, binary, {packet, raw}],"
        "    gen_tcp:connect({local, Path}, 0, Options, Timeout).").

main([Folder]) ->
    Read = beam_lib:chunks(code:which(pgsql_util), [abstract_code]),
    {ok, {pgsql_util, [{abstract_code, {_, Forms}}]}} = Read,
    case string:find(io_lib:format("~w", [Forms]), "{atom,local}") of
        nomatch -> write(Folder, patched(Forms));
        _ -> ok  % it knows local sockets by itself
    end.

patched(Forms) ->
    {ok, Tokens, _} = erl_scan:string(?CLAUSE),
    {ok, {function, _, connect, 3, Added}} = erl_parse:parse_form(Tokens),
    {Before, [{function, Line, connect, 3, Clauses} | After]} =
        lists:splitwith(fun(Form) -> not is_connect(Form) end, Forms),
    Before ++ [{function, Line, connect, 3, Added ++ Clauses} | After].

is_connect({function, _, connect, 3, _}) -> true;
is_connect(_) -> false.

write(Folder, Forms) ->
    {ok, pgsql_util, Code} = compile:forms(Forms, []),
    ok = file:write_file(filename:join(Folder, "pgsql_util.beam"), Code).
