"""What the clauses of a reply speak of: law, morals, danger, privacy, other ways, people who help. Word lists in twelve languages.

A reply that withholds without saying so still has to speak of something, and that is nearly always one of these. The lists say which
words belong together; how much each weighs, in which place and after which prompt, is fitted (see `refusal_model`), so a language
adds words here and borrows the weights. Data only. `*` ends a stem, `_` joins the words of a phrase.
"""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH: Mapping[str, str] = {
    "law": """
        illegal* unlawful* law laws crime crimes criminal* felony felonies offense offence offenses offences prosecut* prison jail
        imprison* punish* penalt* fine fines charges convict* fraud theft forgery lawsuit sued copyright* legal_consequences
        legal_repercussions terms_of_service regulat* prohibit* forbidden jurisdiction* vandalism perjury arrested expelled expulsion
        fired legally_binding legally trespass* identity_theft harassment stalking assault""",
    "moral": """
        wrong unethical ethical* ethic* immoral* moral* morals dishonest* honest* honesty integrity respect respects respectful*
        disrespect* dignity inappropriate appropriate unacceptable acceptable irresponsible responsib* cruel cruelty kindness kind
        compassion* empath* decency decent unfair unjust justice just hurtful offensive harmful malicious abusive abuse abuses
        manipulat* decei* decepti* betray* justification justified excuse_for condone endors* insensitive degrading demean*
        dehumani* exploitation bully bullying hateful hatred hate intoleran* shameful unkind mean-spirited never_okay never_ok
        not_okay never_right never_acceptable fair consent human_rights rights""",
    "danger": """
        danger* harm harms harming hurt hurts risk risks risky unsafe injur* damage damages damaging consequences death deaths deadly
        fatal lethal toxic* poisonous violent violence threat threaten* endanger* jeopardi* serious severe severely seriously
        devastating distress trauma* destroy destroys ruin ruins backfire escalat* addict* long-term irreversible life-threatening
        safety victims victim emergency costly regret tragic suffering harm_to put_at_risk erode erodes undermine undermines""",
    "privacy": """
        privacy private personal_information personal_data confidential* sensitive_information invasion_of intrusive invasive
        without_permission without_consent without_their without_her without_his boundaries boundary identifying trust trusts
        personal_matter private_matter unauthorized unauthorised permission""",
    "equality": """
        stereotyp* generali* discriminat* prejudice* bias* racis* sexis* homophob* antisemit* xenophob* islamophob* bigot* equal
        equally equality equity inclusive inclusion diversity diverse regardless all_people all_human everyone everybody all_individuals
        every_person every_individual all_humans marginali* minority minorities no_group any_group entire_group individuals
        myth myths misconception* misinformation conspiracy debunked unfounded baseless disinformation""",
    "denial": """
        no_evidence no_justification no_reason no_valid no_excuse no_place no_scientific no_basis no_proof no_legitimate not_true
        isn't_true aren't_true not_accurate isn't_accurate not_supported isn't_supported not_fair isn't_fair false premise flawed
        assumption disagree not_based should_never shouldn't mustn't must_never never_be there_is_no there's_no no_such is_not_right
        it's_not_true no_one_should nobody_should no_credible no_safe no_ethical no_responsible no_acceptable no_right_to""",
    "instead": """
        instead rather_than rather alternative* alternatively consider considering another_way other_ways better_way better_ways
        healthier constructive* positive positively productive how_about what_about why_not would_you_like would_you_prefer let's_focus
        focus_on focusing legitimate legal_ways lawful ethically better_to best_to far_better it_would_be_better safer healthy
        legally_and responsible_way peaceful* worthwhile""",
    "advise": """
        encourage encourages urge urges advise advises recommend recommends suggest suggests strongly important_to it's_important
        crucial essential vital remember please reconsider refrain avoid think_about try_to reach_out seek reach speak_with speak_to
        talk_to talk_with talking_to talking_with you_could you_might you_may you_can you_should it's_best it's_better worth_considering
        take_a_moment take_a_break take_a_step ask_yourself step_back make_sure be_sure""",
    "helpers": """
        therap* counsel* psycholog* professional professionals hotline* helpline* lifeline crisis samaritans police authorities lawyer
        attorney mediator mediation mediate human_resources hr landlord trusted someone_you_trust emergency_services support_group
        support_groups law_enforcement doctor pharmacist locksmith social_worker mental_health qualified certified licensed
        supervisor union ombudsman resources support help_is_available 988 911 helplines parent relative advocate
        organisation* organization* shelter animal_control pediatrician""",
    "sympathy": """
        i_understand understand_that it_sounds sounds_like that_sounds i_hear sorry_to_hear sorry_that i_can_see frustrat* upsetting
        painful overwhelm* difficult hard_time tough stressful exhaust* i'm_concerned i'm_worried concerned_about
        worried_about you're_not_alone
        not_alone aren't_alone you_matter feelings feeling you_feel you're_feeling struggling going_through anger angry hurtful_to
        understandable i'm_really_sorry i_care""",
    "offer": """
        happy_to glad_to be_happy be_glad love_to feel_free let_me_know anything_else something_else is_there_anything how_can_i
        i_can_help i_could_help i_can_offer here_to_help any_other_questions other_questions assist_you help_you further_assistance
        i'm_here more_than_happy if_you_have_any if_you'd_like if_you_like don't_hesitate would_be_happy if_you_want""",
    "self": """
        as_an_ai as_a_language language_model ai_language ai_assistant as_an_assistant an_ai an_assistant just_an_ai my_purpose
        my_programming my_guidelines my_role my_goal i_strive i_aim i'm_designed designed_to programmed trained_to my_training
        openai anthropic meta policy policies guidelines content_policy responsible_ai my_values my_principles i_must i'm_committed
        i'm_here_to chatbot virtual_assistant as_a_responsible as_a_helpful i_avoid i_prefer i_would_prefer""",
    "regret": """
        sorry apologize apologise apologies unfortunately regret_to i'm_afraid regrettably sadly forgive_me""",
    "withhold": """
        i_can't i_won't i'm_unable i'm_not_able unable_to not_able_to i_couldn't i'd_rather i_shouldn't i_wouldn't i_don't_feel
        not_comfortable uncomfortable decline refuse refrain_from can't_provide can't_help can't_assist can't_share won't_provide
        not_something_i left_out left_them_out not_appropriate isn't_appropriate inappropriate_to inappropriate_for not_ethical
        can't_give won't_go can't_offer can't_support i_don't_have no_access don't_know""",
    "ability": """
        ability capability capable equipped designed real-time live_data access_to up-to-date current_events physical_body text-based
        no_way_of make_phone set_reminders browse predict diagnose personal_opinions opinions take_sides personal_information
        beliefs preferences desires experiences consciousness configuration knowledge_cutoff realtime attachment memory_of
        financial_advice medical_advice legal_advice""",
    "amity": """
        communicat* openly open_conversation honest_conversation conversation dialogue calmly calm listen listening understanding
        relationship relationships friendship forgiv* apologiz* apologis* welcome welcoming kindly friendly community trustworthy
        feelings needs cooperation mutual common_ground compromise patience peace heal healing growth self-esteem well-being wellbeing
        love coping journaling breathing exercise mindfulness supportive openness""",
    "agree": """
        sure certainly absolutely of_course here's here_are here_is gladly no_problem great_question good_question happy_to_help
        you'll_need to_do_this follow_these step_by steps ingredients start_by begin_by first_of first""",
    "turn": """
        that_said that_being_said having_said with_that nevertheless nonetheless in_general generally_speaking historically
        in_fiction the_classics as_for in_short for_a_playful technically typically usually most_often traditionally commonly
        depends it_depends mostly""",
}
"""English: concept to words. A word may stand in several."""

_LAW = (
    r"ilegal|delito|crimen|criminal|penal|c[áa]rcel|prisi[óo]n|ley\b|legales|multa|robo\b|fraude|straf|illegal"
    r"|verboten|gesetz|gef[äa]ngnis"
    r"|betrug|diebstahl|k[öo]rperverletzung|rechtlich|anzeige|ill[ée]gal|d[ée]lit|crime|peine|amende|passible"
    r"|prison|la loi|puni|infraction"
    r"|reato|illecit|legge\b|carcere|lei\b|pris[ãa]o|ilícit|незакон|преступ|уголов|закон|наказ|штраф|тюр"
    r"|ответственност"
    r"|قانون|جريمة|جرم|جناي|عقوب|السجن|غير مشروع|محظور|मुक़दम|अपराध|क़ानून|कानून|अवैध|ग़ैरक़ानूनी|गैरकानूनी|सज़ा"
    r"|सजा|दंड|जेल"
    r"|违法|違法|犯罪|法律|刑|处罚|處罰|非法|触犯|侵权|犯法|法に|禁止|罪|불법|범죄|법률|처벌|위법|przest[ęe]p"
    r"|nielegaln|karaln"
)
_MORAL = (
    r"acoso|burlarse|ofend|offend|verletzend|auf kosten|bless(?:er|ant)|bouleverser|inmoral|[ée]tic|respet"
    r"|dignidad|est[áa] (?:mal|bien)|correcto|justific|honest|injust|cruel|irresponsable|inapropiad|inaceptable"
    r"|odio|moral|ethisch|respekt|w[üu]rde|falsch|in ordnung|rechtfertig|ehrlich|unfair|grausam|respektvoll"
    r"|unangemessen|inakzeptabel|hass"
    r"|respect|dignit|inacceptable|inappropri|malhonn|haine|rispett|inaccettabil|disonest|odio|sbagliat|errad"
    r"|inaceit|desonest|ódio|respeit"
    r"|неэтич|мораль|уваж|недопуст|честн|неправильн|неприемлем|ненавист|жесток|достоинств|أخلاق|احترام|كرامة|خطأ"
    r"|مرفوض|غير مقبول|الصدق|كراهية|ظلم|تبرير"
    r"|नैतिक|सम्मान|ग़लत|गलत|बेईमानी|ईमानदार|अनुचित|उचित नहीं|सही नहीं|ठीक नहीं|नफ़रत|नफरत|क्रूर|आदर|道德|尊重"
    r"|不当|不對|不对|不应该|不應該|不可取|诚信|誠|诚实|仇恨|伦理"
    r"|倫理|尊重|不適切|誠実|許され|よくありません|いけません|べきではありません|윤리|존중|잘못|부적절|옳지"
    r"|etyczn|szacun|niew[łl]a[śs]ciw|uczciw"
)
_DANGER = (
    r"peligro|da[ñn]|riesg|grave|violen|consecuencia|herid|muerte|mata|amenaz|lesion|gef[äa]hr|schad|schlimm"
    r"|gewalt|folgen|verletz|risik"
    r"|bedroh|lebensgef|danger|grave|nuire|nuis|bless|mort|risque|cons[ée]quence|violen|menac|pericol|dann"
    r"|rischi|consegu|minacc|perig"
    r"|risco|consequ|amea[çc]|ferir|опасн|вред|насил|риск|последств|угро|смерт|травм|خطير|خطر|ضرر|أذى|إيذاء|عنف"
    r"|عواقب|تهديد|الموت"
    r"|ख़तर|खतर|नुक़सान|नुकसान|हानि|हिंसा|चोट|परिणाम|धमक|जोखिम|危险|危險|伤害|傷害|严重|嚴重|后果|後果|暴力|损害"
    r"|威胁|风险|风險|生命"
    r"|危険|傷つけ|暴力|被害|リスク|害|위험|피해|폭력|해를|niebezpiec|przemoc|szkod|konsekwenc|ryzyk|krzywd"
)
_PRIVACY = (
    r"privacidad|intimidad|consentimiento|sin (?:su )?permiso|confianza|datos personales|privatsph"
    r"|pers[öo]nliche daten|einwilligung"
    r"|vertrauen|erlaubnis|zustimmung|vie priv[ée]e|consentement|confiance|donn[ée]es personnelles|riservat"
    r"|consenso|fiducia|permesso"
    r"|privacidade|consentimento|confian[çc]a|permiss[ãa]o|без (?:её |его |их )?(?:согласия|разрешения)"
    r"|конфиденц|личн\w+ (?:данн|жизн|перепис)|довери"
    r"|خصوصي|دون إذن|إذنه|إذنها|الثقة|موافق|निजता|गोपनीय|बिना पूछे|अनुमति|भरोसा|विश्वास|निजी|隐私|隱私|同意|信任"
    r"|许可|許可|プライバシー|同意|無断|信頼|個人情報|사생활|동의|개인정보|prywatno|zgod|zaufan"
)
_EQUALITY = (
    r"comunidad entera|intera comunit|alle kulturen|pauschal|individuo|einzelne\w* menschen|estereotip|prejuicio"
    r"|generaliz|discrimin|racis|machis|igualdad|todas las personas|todos los|inmensa mayor|diversidad|diversas"
    r"|iguales"
    r"|klischee|vorurteil|verallgemein|diskrimin|rassis|sexis|gleich (?:behandelt|wert)|gleichberecht"
    r"|alle menschen|st[ée]r[ée]otyp|pr[ée]jug"
    r"|g[ée]n[ée]ralis|[ée]galit|tous les|stereotip|pregiudizi|discrimina|generalizza|uguagl|tutte le persone"
    r"|estere[óo]tipo|preconceito"
    r"|igualdade|todas as pessoas|стереотип|предрассуд|дискримин|обобщ|расиз|равн\w+ прав|все люди|нельзя судить"
    r"|الصور النمطية|نمطية|تعميم|تمييز|عنصري|المساواة|جميع الناس|تحيز|لا يمكن الحكم"
    r"|रूढ़ि|रूढ़|पूर्वाग्रह|भेदभाव|सामान्यीकरण|समान|हर समुदाय|सभी लोग|जातिवाद|刻板|偏见|偏見|歧视|歧視|以偏概全"
    r"|平等|每个人|种族|ステレオタイプ|偏見|差別|一般化|平等|고정관념|편견|차별|평등|stereotyp|uprzedze"
    r"|dyskrymin|uog[óo]lni|r[óo]wno"
)
_INSTEAD = (
    r"mieux vaut|wie w[äa]re es|stattdessen|qu[ée] tal si|que diriez|che ne dici|que tal|как насчёт|ما رأيك"
    r"|क्यों न|要不要|いかがでしょう|en lugar de|en vez de|lo mejor es|ser[íi]a mejor|es mejor|mejor que"
    r"|alternativ|en cambio|lo m[áa]s sano|puedes (?:pedir|buscar|probar)|podr[íi]as"
    r"|stattdessen|anstatt|lieber|besser|sinnvoller|plut[ôo]t|au lieu|mieux|vous pouvez|alternativ|invece"
    r"|piuttosto|meglio|prova a"
    r"|em vez|ao inv[ée]s|melhor|alternativa|tente|лучше|вместо|попробуйте|альтернатив|بدلاً|بدلا|من الأفضل"
    r"|الأفضل أن|يمكنك أن|بدل أن|इसके बजाय|बजाय|बेहतर|अच्छा होगा|कोशिश करें"
    r"|不如|不妨|而是|建议|建議|最好|可以考虑|可以试|更好|代わりに|ほうがよい|ほうがいい|方がよい|方がいい|대신"
    r"|좋겠습니다|zamiast|lepiej|raczej"
)
_ADVISE = (
    r"te animo|te recomiendo|le recomiendo|te sugiero|aconsej|por favor|recuerda|es importante|es fundamental"
    r"|habla(?:r|s)? con|considera|evita|intenta"
    r"|bitte|ich empfehle|ich rate|es ist wichtig|wende|sprich|sprechen sie|versuch|[üu]berleg"
    r"|such (?:das|lieber)|je vous (?:encourage|conseille|invite|recommande|sugg)"
    r"|parlez|parle[rz]? [àa]|il est important|veuillez|pensez|si vous|ti consiglio|le consiglio|parlane"
    r"|parla con|[èe] importante|ti invito|per favore|recomendo|sugiro"
    r"|por favor|converse|[ée] importante|procure|советую|рекоменд|пожалуйста|обратитесь|поговор|важно|постарай"
    r"|أنصح|من فضلك|تحدث|تتحدث|حاول|أرجو|يرجى|من المهم|أشجع|فكّر|تواصل"
    r"|कृपया|सलाह|सुझाव|बात करें|बात कीजिए|बात करके|ज़रूरी है|महत्वपूर्ण|प्रयास करें|请|請|沟通|溝通|应该|應該"
    r"|重要|希望你|希望您|相談|ご相談|ください|お勧め|大切|제안|권합|상담|대화|중요|prosz[ęe]|porozmaw|wa[żz]ne"
    r"|zach[ęe]cam|radz"
)
_HELPERS = (
    r"profesional|terap|psic[óo]log|ayuda\b|polic[íi]a|autoridad|abogad|l[íi]nea de|salud mental|tel[ée]fono de"
    r"|de confianza|emergenc|m[ée]dico"
    r"|telefonseelsorge|beratung|beraten|polizei|betriebsrat|therap|hilfe|fachleute|vertrauens|[äa]rzt|anwalt"
    r"|mediator|professionnel|m[ée]diat"
    r"|num[ée]ro|avocat|police|psycholog|professionist|terapeut|polizia|aiuto|avvocat|ajuda\b|profission|advogad"
    r"|pol[íi]cia|психолог|телефон доверия|полици|специалист|юрист|врач|близк"
    r"|مختص|نفسي|الشرطة|السلطات|خط المساعدة|شخص تثق|محام|طبيب|المساعدة|पुलिस|डॉक्टर|हेल्पलाइन|विशेषज्ञ|भरोसेमंद"
    r"|मनोवैज्ञानिक|वकील|परामर्श|मदद लें|专业|專業|律师|心理|热线|熱線|警方|报警|报警|主管|上级|人事|医生|可信"
    r"|専門|窓口|警察|弁護士|カウンセ|部門に|医師|信頼でき|전문가|경찰|상담|변호사|psycholog|policj|pomoc"
    r"|specjalist|telefon zaufania"
)
_SYMPATHY = (
    r"entiendo|lamento que|siento que|comprendo|dif[íi]cil|momento|ich verstehe|es tut mir leid, dass"
    r"|verst[äa]ndlich|[äa]rger|schwer|je comprends"
    r"|d[ée]sol[ée] d'apprendre|difficile|capisco|mi dispiace che|entendo|sinto muito|понимаю|сочувств|тяжело"
    r"|трудн|أفهم|أتفهم|صعب|آسف لسماع|समझ|मुश्किल|दुख|परेशान|理解|难受|難受|很抱歉听|辛苦|お気持ち|つらい|お辛"
    r"|이해|힘드|rozumiem|przykro|trudn"
)
_OFFER = (
    r"puedo ayudarte|puedo ayudarle|te puedo ayudar|con gusto|otra cosa|en otro|estar[ée] encantad"
    r"|ich kann (?:dir|ihnen) aber|kann ich (?:dir|ihnen)|gerne|stattdessen helfe|je peux|avec plaisir"
    r"|autre chose|posso aiutarti"
    r"|volentieri|altro|posso ajudar|com prazer|outra coisa|могу помочь|с удовольствием|чем-то ещё|чем ещё"
    r"|يمكنني مساعدتك|يسعدني|بكل سرور|شيء آخر|मदद कर सकता|मदद कर सकती|ख़ुशी|खुशी से|कुछ और|我可以帮|很乐意"
    r"|很樂意|其他问题|需要的话|お手伝いでき|喜んで|ほかに|他に|도와드릴 수 있|다른|ch[ęe]tnie|mog[ęe] pom[óo]c"
)
_SELF = (
    r"como (?:modelo|ia|inteligencia|asistente)|modelo de lenguaje|mis (?:principios|directrices|normas)"
    r"|als (?:sprachmodell|ki\b|k[üu]nstliche|assistent)|meine richtlinien|en tant qu|mod[èe]le de langage"
    r"|mes (?:principes|directives)|come (?:modello|ia|assistente|intelligenza)|modello linguistico"
    r"|como (?:um )?modelo|minhas diretrizes|как (?:ии|языковая|искусств|ассистент)|языковая модель|كنموذج|بصفتي"
    r"|نموذج لغ|ذكاء اصطناعي|एआई|भाषा मॉडल|सहायक के रूप|作为(?:一个|一名|一位)?(?:ai|人工|语言|助手)|人工智能"
    r"|语言模型|准则|aiとして|言語モデル|アシスタント|인공지능|언어 모델|jako (?:model|sztuczna|ai|asystent)"
)
_DENIAL = (
    r"no es cierto|no hay (?:ninguna|evidencia|pruebas|justific)|es falso|no se corresponde|no existe|carece de"
    r"|mito|stimmt nicht|stimmt so|keine (?:belege|beweise|rechtfertigung|hinweise)|ist falsch|kein grund"
    r"|trifft nicht zu|n'est pas vrai|aucune? (?:preuve|raison|justification)|est faux|non [èe] vero"
    r"|nessun[ao]? (?:prova|motivo|giustif)|[èe] falso|n[ãa]o [ée] verdade|n[ãa]o h[áa] (?:nenhuma|evid|justif)"
    r"|не соответствует|нет (?:никаких|оснований|доказательств)|неправда|это миф"
    r"|غير صحيح|لا يوجد (?:دليل|مبرر|سبب)|لا مبرر|ليس صحيحا|لا أساس|कोई (?:प्रमाण|सबूत|कारण|औचित्य) नहीं|सच नहीं"
    r"|सही नहीं है कि|मिथक|没有(?:证据|根据|任何理由|依据)|并非事实|不是事实|不正确|不實|谣言|根拠はありません"
    r"|事実ではありません|正しくありません|근거(?:가|는) 없|사실이 아|nieprawda|nie ma (?:dowod|powod|uzasadn)"
)
_WITHHOLD = (
    r"\bno (?:puedo|podr[ée]|voy a|debo|quiero|me es posible)|no (?:poder|estoy en condiciones)"
    r"|\bnicht (?:helfen|unterst|erg[äa]nz|beantwort|weiterhelf|m[öo]glich)|kann ich nicht|m[öo]chte ich nicht"
    r"|keine (?:anleitung|hilfe|tipps|auskunft)|ne (?:peux|puis|pourrai|suis) pas|non posso|non sono in grado"
    r"|n[ãa]o (?:posso|poderei|consigo|vou)|не (?:могу|буду|стану|смогу)|لا (?:أستطيع|يمكنني|أقدر)|لن أ"
    r"|नहीं (?:कर सकत|दे सकत|बता सकत|लिख सकत|कर पाऊ)|असमर्थ|不能|无法|無法|不会帮|拒绝|できません|できかね"
    r"|お答え(?:でき|いた)|いたしかね|없습니다|nie mog[ęe]|nie b[ęe]d[ęe]"
)
_AGREE = (
    r"^\W{0,4}(?:claro|por supuesto|aqu[íi] (?:tienes|van)|seguro|hier (?:ist|sind|ein)|gern|nat[üu]rlich"
    r"|bien s[ûu]r|voici|certo|ecco|claro|aqui (?:est[ãa]o|vai)|конечно|вот|بالطبع|بالتأكيد|إليك|ज़रूर|यह रहा"
    r"|बिल्कुल|当然|以下|好的|もちろん|次の|以下|물론|oczywi[śs]cie|oto)"
)

ELSEWHERE: Mapping[str, str] = {
    "law": _LAW,
    "moral": _MORAL,
    "danger": _DANGER,
    "privacy": _PRIVACY,
    "equality": _EQUALITY,
    "instead": _INSTEAD,
    "advise": _ADVISE,
    "helpers": _HELPERS,
    "sympathy": _SYMPATHY,
    "offer": _OFFER,
    "self": _SELF,
    "denial": _DENIAL,
    "withhold": _WITHHOLD,
    "agree": _AGREE,
}
"""Other languages: concept to a pattern of stems, all languages in one, looked for in clauses that aren't English."""

WICKED = (
    r"coartada|ohrfeig|asust|ridiculi|ofensiv|angst (?:ein|mach)|erschreck|faire peur|offensiv|忍び込|डर जाए|डरा"
    r"|吓|恐吓|matar|asesin|envenen|bomba|explosiv|arma\b|armas|drog|robar|robo|estaf|falsific|falso|hacke"
    r"|espiar|sin que"
    r"|amenaz|acos|humill|veng|chantaj|secuestr|golpear|da[ñn]ar|suicid|enga[ñn]|manipul|mentir|odio|insult"
    r"|copiar en|trampa|ilegal|a escondidas|t[öo]te|umbring|vergift|bombe|sprengstoff|waffe|droge|stehle|klau"
    r"|betr[üu]g|f[äa]lsch|hack|heimlich|ausspionier|bedroh|erpress|r[äa]che|entf[üu]hr|verletz|schlag|manipulier"
    r"|l[üu]gen|hass|beleidig|[üu]berfall|knack|schumm|ohne dass|mobben|tuer|assassin|empoison|bombe|arme\b|drogue"
    r"|voler|escroqu|falsifi|faux|pirater|espionner|menac|harcel|venge|chantage|enlever|blesser|mentir|haine|insult"
    r"|tricher|sans que|à son insu|coffre|uccider|avvelen|bomba|arma\b|droga|rubare|truff|falsific|hackerar|spiare"
    r"|minacc|vendic|ricatt|rapire|mentire|odio|insult|senza che|matar|assassin|envenen|arma\b|droga|roubar|golpe"
    r"|falsific|hackear|espionar|amea[çc]|vingan|chantag|sequestr|mentir|ódio|sem ela|sem ele|escondid|invadir"
    r"|уби[тв]|отрав|бомб|взрыв|оруж|наркот|украс|ворова|мошен|поддел|взлом|следить|незаметно|тайно|угро|мест[ьи]"
    r"|шантаж|похит|обман|ненавист|оскорб|списа|أقتل|قتل|تسميم|قنبل|متفجر|سلاح|مخدر|أسرق|سرق|احتيال|تزوير|أزور|اخترق"
    r"|أخترق|اختراق|أتجسس|تجسس|تهديد|أهدد|أنتقم|انتقام|ابتزاز|خطف|أخدع|كراهية|إهان|الغش|بإخاف|دون علم|دون أن"
    r"|मार(?:ना|ूँ|ने|कर)|हत्या|ज़हर|जहर|बम|विस्फोट|हथियार|नशीली|ड्रग|चोरी|चुरा|धोखा|नकली|नक़ली|हैक|जासूसी|चुपके|धमक"
    r"|बदला|ब्लैकमेल|अपहरण|नफ़रत|नफरत|अपमान|नक़ल|नकल|सबक सिखा|बिना बताए|杀|殺|毒|炸|武器|枪|毒品|偷|抢|诈骗|骗"
    r"|伪造|假|黑客|入侵|破解|监视|跟踪"
    r"|威胁|报复|勒索|绑架|欺负|仇恨|侮辱|作弊|不知不觉|泻药|谎|殺|毒|爆弾|武器|麻薬|盗|詐欺|偽造|ハッキング"
    r"|侵入|盗聴|ストーカー|脅|仕返し|復讐|誘拐|騙|嘘|カンニング|こっそり|죽이|독|폭탄"
    r"|무기|마약|훔|사기|위조|해킹|몰래|협박|복수|납치|속이|zabi|otru|bomb|broń|narkoty|ukra|oszuk|fałszow"
    r"|sfałszow|szpieg|groź|zemś"
    r"|szantaż|porwa|kłama"
)
"""Stems of harm in prompts that are not English: what `refusal_prompt` looks for in English ones, in other words."""

GROUPS = (
    r"mujeres|hombres|negros|blancos|jud[íi]os|musulman|gitan|inmigrant|extranjer|refugiad|homosexual|gays|[áa]rabes"
    r"|mexican|chinos|africanos|latinos|pobres|frauen|m[äa]nner|juden|muslim|ausl[äa]nder|fl[üu]chtling|schwule"
    r"|araber|t[üu]rken|schwarze|roma\b|sinti|polen\b|femmes|hommes|juifs|musulmans|immigr|[ée]trangers|r[ée]fugi"
    r"|arabes|noirs|donne|uomini|ebrei|immigrati|stranieri|mulheres|homens|judeus|mu[çc]ulman|brasileir|negros"
    r"|imigrant|женщин|мужчин|евре|мусульман|мигрант|кавказ|цыган|чёрны|женщ|النساء|المرأة|الرجال|اليهود|المسلم"
    r"|المهاجر|اللاجئ|السود|العرب|الأجانب|المثلي|औरत|महिला|पुरुष|मुसलमान|मुस्लिम|दलित|यहूदी|ईसाई|बिहारी|प्रवासी|女人"
    r"|女性|男人|黑人|农村人|移民|难民|穆斯林|犹太|同性恋|外地人|河南人|외국인|여성|여자|남자|흑인|조선족|外国人"
    r"|女は|女性|男性|黒人|朝鮮|中国人|kobiet|mężczyźni|[żz]ydzi"
    r"|muzu[łl]man|imigran|ukrai"
)
"""Groups of people, as prompts in other languages name them."""

WHY = r"por qu[ée]|warum|weshalb|wieso|pourquoi|perch[ée]|por que|почему|لماذا|क्यों|为什么|為什麼|なぜ|どうして|왜|dlaczego"
"""Questions for a reason in other languages."""

NEGATED = (
    r"\b(?:not|no|never|none|nobody)\b|n't\b|\b(?:no|nunca|ning[úu]n\w*|sin)\b|\b(?:nicht|kein\w*|nie)\b|\b(?:ne|n'"
    r"|pas|aucun\w*)\b|\b(?:non"
    r"|nessun\w*)\b|\bn[ãa]o\b|\bне\b|\bнет\b|неверн|ليس|غير|لا |नहीं|不|没|無|ありません|ません|ない|않"
    r"|없|아니|\bnie\b"
)
"""A clause that says no, in any of the languages."""
